#ifndef RONDO_SERVER_LISTEN_SCRAPE_PORT_H_
#define RONDO_SERVER_LISTEN_SCRAPE_PORT_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "server/access/tls_files.h"
#include "server/listen/http_connection.h"
#include "server/listen/listening_sockets.h"
#include "server/metrics/metrics.h"

namespace rondo {

// Answers GET /metrics, /healthz, /readyz and /models.json, and at / a page for people that shows them, while it lives.
// Connections that say nothing cost nobody else anything: past a number of them, the oldest is closed for the newest.
//
// Ownership: borrows the metrics and the files.
// Threads:   one, and its own that answers.
class ScrapePort {
 public:
  // What the server says of itself; called on the port's thread.
  struct Facts {
    std::function<bool()> is_ready;       // whether it is ready for requests
    std::function<std::string()> models;  // a JSON object; null: whoever asks here is not told
  };

  // `address`: HOST:PORT, port 0: any free one. `tls`: null: none. UNAVAILABLE: cannot listen there.
  static absl::StatusOr<std::unique_ptr<ScrapePort>> Listen(const std::string& address, const Metrics* metrics,
                                                            const TlsFiles* tls, Facts facts);
  ~ScrapePort();

  int port() const { return sockets_.port(); }

 private:
  ScrapePort(ListeningSockets sockets, const Metrics* metrics, const TlsFiles* tls, Facts facts);

  void Run();
  // Waits up to a second, then accepts who is there and goes on with each connection.
  void Turn();
  void AcceptAllOf(int listening_socket);
  std::string Answer(const HttpRequest& request) const;
  // /metrics, in the format that is wanted more: Prometheus' own, or OpenMetrics.
  std::string MetricsAnswer(absl::string_view accept) const;

  const Metrics* const metrics_;
  const TlsFiles* const tls_;
  const Facts facts_;
  const std::string page_;  // the answer to GET /
  const ListeningSockets sockets_;
  const int wake_;  // an eventfd: the destructor writes it
  std::atomic<bool> stopping_{false};
  std::deque<std::unique_ptr<HttpConnection>> connections_;  // of the thread; the oldest first
  std::thread thread_;                                       // last: uses everything above
};

}  // namespace rondo

#endif  // RONDO_SERVER_LISTEN_SCRAPE_PORT_H_
