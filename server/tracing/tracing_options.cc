#include "server/tracing/tracing_options.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "base/invalid.h"

namespace rondo {
namespace {

bool IsEndpoint(absl::string_view text) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  return colon != absl::string_view::npos && colon > 0 && text.find('/') == absl::string_view::npos &&
         absl::SimpleAtoi(text.substr(colon + 1), &port) && port > 0 && port <= 65535;
}

}  // namespace

OptionGroup TracingGroup(TracingOptions* options) {
  return {"Traces",
          {{"otlp_endpoint", TextOrNone(&options->otlp_endpoint, "HOST:PORT"),
            "An OpenTelemetry collector, which is sent the traces of sampled requests by OTLP over gRPC. While it is "
            "away or slow, 8192 spans wait; more are dropped and counted. Empty: nothing is traced."},
           {"otlp_tls_ca", TextOrNone(&options->otlp_tls_ca, "FILE"),
            "CAs in PEM form, one of which must have signed the certificate of --otlp_endpoint. Empty: no TLS."},
           {"trace_sampling", Number(&options->sampling, {0.0, 1.0}, "RATIO"),
            "Which share of the messages that come without the metadata `traceparent` is traced. Those of a call that "
            "brings one are if its sampled flag is set."}}};
}

absl::Status CheckTracing(const TracingOptions& options) {
  if (!options.otlp_endpoint.empty()) {
    if (IsEndpoint(options.otlp_endpoint)) return absl::OkStatus();
    return Invalid("--otlp_endpoint=", options.otlp_endpoint, ": wanted HOST:PORT, port 1 to 65535, without http://");
  }
  if (options.sampling == 0 && options.otlp_tls_ca.empty()) return absl::OkStatus();
  return Invalid("--", options.sampling == 0 ? "otlp_tls_ca" : "trace_sampling",
                 " is given without --otlp_endpoint: wanted it too, else nobody is told");
}

}  // namespace rondo
