#ifndef RONDO_SERVER_METRICS_SCRAPE_PORT_H_
#define RONDO_SERVER_METRICS_SCRAPE_PORT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/metrics/metrics.h"

namespace prometheus {
class Collectable;
class Exposer;
}  // namespace prometheus

namespace rondo {

// Answers GET /metrics while it lives.
//
// Ownership: borrows the metrics.
// Threads:   one, and its own that answer.
class ScrapePort {
 public:
  // `address`: "host:port", port 0: any free one. INVALID_ARGUMENT: not an address. UNAVAILABLE: cannot listen there.
  static absl::StatusOr<std::unique_ptr<ScrapePort>> Listen(const std::string& address, const Metrics* metrics);
  ~ScrapePort();

  int port() const { return port_; }

 private:
  ScrapePort(const std::string& address, const Metrics* metrics);  // throws

  const std::shared_ptr<prometheus::Collectable> collector_;  // the exposer holds a weak pointer
  const std::unique_ptr<prometheus::Exposer> exposer_;        // its threads read the collector
  const int port_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_SCRAPE_PORT_H_
