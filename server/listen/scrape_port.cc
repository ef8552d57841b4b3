#include "server/listen/scrape_port.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/annotate.h"
#include "base/thread_name.h"
#include "server/listen/index_page.h"

namespace rondo {
namespace {

constexpr size_t kMostConnections = 64;
constexpr absl::Duration kPatience = absl::Seconds(10);  // with one connection
constexpr int kScrapeTurnMilliseconds = 1000;

// OpenSSL writes without MSG_NOSIGNAL. The signal of a thread that blocks it stays with that thread.
void BlockSigPipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

constexpr absl::string_view kText = "text/plain; charset=utf-8";
constexpr absl::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";
constexpr absl::string_view kOpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";

// `more`: header lines, each with its end.
std::string HttpAnswer(absl::string_view status, absl::string_view type, absl::string_view body,
                       absl::string_view more = "") {
  return absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Type: ", type, "\r\nContent-Length: ", body.size(),
                      "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n", more,
                      "Connection: close\r\n\r\n", body);
}

std::string PageAnswer() {
  return HttpAnswer("200 OK", "text/html; charset=utf-8", kIndexPage,
                    absl::StrCat("Content-Security-Policy: ", ContentPolicyOf(kIndexPage),
                                 "\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n"
                                 "Cross-Origin-Resource-Policy: same-origin\r\n"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ScrapePort>> ScrapePort::Listen(const std::string& address, const Metrics* metrics,
                                                               const TlsFiles* tls, Facts facts) {
  absl::StatusOr<ListeningSockets> sockets = ListeningSockets::Open(address, absl::ZeroDuration());
  if (!sockets.ok()) {
    return Annotate(sockets.status(), "no /metrics");
  }
  return std::unique_ptr<ScrapePort>(new ScrapePort(*std::move(sockets), metrics, tls, std::move(facts)));
}

ScrapePort::ScrapePort(ListeningSockets sockets, const Metrics* metrics, const TlsFiles* tls, Facts facts)
    : metrics_(metrics),
      tls_(tls),
      facts_(std::move(facts)),
      page_(PageAnswer()),
      sockets_(std::move(sockets)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      thread_([this] { Run(); }) {}

ScrapePort::~ScrapePort() {
  stopping_ = true;
  eventfd_write(wake_, 1);
  thread_.join();
  close(wake_);
}

void ScrapePort::Run() {
  NameThisThread("rondo-metrics");
  BlockSigPipe();
  while (!stopping_) Turn();
  connections_.clear();
}

void ScrapePort::Turn() {
  std::vector<pollfd> ready = {{wake_, POLLIN, 0}};
  for (const int descriptor : sockets_.descriptors()) ready.push_back({descriptor, POLLIN, 0});
  for (const auto& connection : connections_) ready.push_back(connection->awaited());
  if (poll(ready.data(), ready.size(), kScrapeTurnMilliseconds) < 0) absl::SleepFor(absl::Milliseconds(10));
  const absl::Time now = absl::Now();
  size_t at = 1 + sockets_.descriptors().size();
  const auto is_over = [&](const std::unique_ptr<HttpConnection>& connection) {
    const bool is_ready = ready[at++].revents != 0;
    if (is_ready && !connection->Proceed([this](const HttpRequest& request) { return Answer(request); })) return true;
    return now >= connection->deadline();
  };
  connections_.erase(std::remove_if(connections_.begin(), connections_.end(), is_over), connections_.end());
  for (size_t i = 0; i < sockets_.descriptors().size(); ++i) {
    if (ready[i + 1].revents != 0) AcceptAllOf(sockets_.descriptors()[i]);
  }
}

void ScrapePort::AcceptAllOf(int listening_socket) {
  for (size_t i = 0; i < kMostConnections; ++i) {
    const int connection = accept4(listening_socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const bool lacks = connection < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
    if (connection < 0 && !lacks) return;
    if ((lacks || connections_.size() == kMostConnections) && !connections_.empty()) connections_.pop_front();
    if (lacks) return absl::SleepFor(absl::Milliseconds(10));  // somebody else may give a descriptor back
    const std::shared_ptr<ssl_ctx_st> tls = tls_ == nullptr ? nullptr : tls_->context();
    connections_.push_back(std::make_unique<HttpConnection>(connection, tls.get(), absl::Now() + kPatience));
  }
}

std::string ScrapePort::MetricsAnswer(absl::string_view accept) const {
  const double open = WantedQuality(accept, "application/openmetrics-text", "1.0.0");
  const bool is_open = open > 0 && open >= WantedQuality(accept, "text/plain", "0.0.4");
  return is_open ? HttpAnswer("200 OK", kOpenMetrics, metrics_->SerializeOpenMetrics())
                 : HttpAnswer("200 OK", kMetricsText, metrics_->Serialize());
}

std::string ScrapePort::Answer(const HttpRequest& request) const {
  const absl::string_view request_line = request.line();
  if (!absl::StartsWith(request_line, "GET "))
    return HttpAnswer("405 Method Not Allowed", kText, "only GET is served\n");
  const absl::string_view target = request_line.substr(4, request_line.find_first_of(" ?", 4) - 4);
  if (target == "/") return page_;
  if (target == "/metrics") return MetricsAnswer(request.Field("Accept"));
  if (target == "/healthz") return HttpAnswer("200 OK", kText, "alive\n");
  if (target == "/readyz") {
    if (facts_.is_ready()) return HttpAnswer("200 OK", kText, "ready\n");
    return HttpAnswer("503 Service Unavailable", kText,
                      "not ready: no model is live, or the server is about to leave\n");
  }
  if (target == "/models.json") {
    if (facts_.models != nullptr) return HttpAnswer("200 OK", "application/json", facts_.models());
    return HttpAnswer("403 Forbidden", kText,
                      "only callers with a token are told of models: rondo models --graph=NAME\n");
  }
  return HttpAnswer("404 Not Found", kText, "only /, /metrics, /models.json, /healthz and /readyz are here\n");
}

}  // namespace rondo
