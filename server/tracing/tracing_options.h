#ifndef RONDO_SERVER_TRACING_TRACING_OPTIONS_H_
#define RONDO_SERVER_TRACING_TRACING_OPTIONS_H_

#include <string>

#include "absl/status/status.h"
#include "base/option_table.h"

namespace rondo {

// Which requests are traced, and who is told.
struct TracingOptions {
  double sampling = 0;        // of the messages of calls that bring no traceparent
  std::string otlp_endpoint;  // HOST:PORT; empty: nothing is traced
  std::string otlp_tls_ca;    // empty: no TLS
};

// The options on the command line. `options` outlives the group.
OptionGroup TracingGroup(TracingOptions* options);

// INVALID_ARGUMENT: an option lacks another one, or the endpoint is no address.
absl::Status CheckTracing(const TracingOptions& options);

}  // namespace rondo

#endif  // RONDO_SERVER_TRACING_TRACING_OPTIONS_H_
