#include "server/metrics/scrape_port.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "prometheus/collectable.h"
#include "prometheus/exposer.h"
#include "prometheus/metric_family.h"
#include "server/metrics/page.h"

namespace rondo {
namespace {

// civetweb reads more into its port list than an address (more ports after commas, `s` for TLS, `r` for redirect), so
// only HOST:PORT of plain characters reaches it.
absl::Status CheckAddress(absl::string_view address) {
  const size_t colon = address.rfind(':');
  const absl::string_view host = address.substr(0, colon);
  int port = -1;
  const bool parsed = colon != absl::string_view::npos && absl::SimpleAtoi(address.substr(colon + 1), &port) &&
                      absl::c_all_of(address.substr(colon + 1), absl::ascii_isdigit);
  const bool plain = absl::c_all_of(
      host, [](unsigned char c) { return absl::ascii_isalnum(c) || absl::StrContains(".-:[]", static_cast<char>(c)); });
  if (parsed && plain && !host.empty() && port <= 65535) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", address, "\" is not an address to listen on; wanted HOST:PORT, port 0..65535"));
}

absl::Status ListenError(const std::string& address, int error) {
  const absl::string_view cause = error != 0                       ? strerror(error)
                                  : absl::StartsWith(address, "[") ? "the HTTP library was built without IPv6"
                                                                   : "not an address of this machine";
  return absl::UnavailableError(absl::StrCat("cannot serve /metrics on ", address, ": ", cause));
}

class Collector : public prometheus::Collectable {
 public:
  explicit Collector(const Metrics* metrics) : metrics_(metrics) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    Page page;
    metrics_->Show(&page);
    return page.families();
  }

 private:
  const Metrics* const metrics_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ScrapePort>> ScrapePort::Listen(const std::string& address, const Metrics* metrics) {
  if (absl::Status status = CheckAddress(address); !status.ok()) return status;
  errno = 0;
  try {
    return std::unique_ptr<ScrapePort>(new ScrapePort(address, metrics));
  } catch (const std::exception&) {  // its text says no more than that it failed
    return ListenError(address, errno);
  }
}

// A connection that sends no request holds a thread for twice the timeout: civetweb waits for the request, and after it
// closes for the client to do so. So there are many threads, which cost nothing while they sleep, and little patience.
ScrapePort::ScrapePort(const std::string& address, const Metrics* metrics)
    : collector_(std::make_shared<Collector>(metrics)),
      exposer_(std::make_unique<prometheus::Exposer>(
          std::vector<std::string>{"listening_ports", address, "num_threads", "64", "request_timeout_ms", "1000"})),
      port_(exposer_->GetListeningPorts().at(0)) {
  exposer_->RegisterCollectable(collector_);
}

ScrapePort::~ScrapePort() = default;

}  // namespace rondo
