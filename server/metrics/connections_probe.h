#ifndef RONDO_SERVER_METRICS_CONNECTIONS_PROBE_H_
#define RONDO_SERVER_METRICS_CONNECTIONS_PROBE_H_

#include "server/metrics/metric_cells.h"
#include "server/metrics/probe.h"

namespace rondo {

// The connections to the gRPC port.
struct ConnectionsProbe : Probe {
  Metric<Gauge> open{this, {"rondo_connections", "Open connections to the gRPC port; recounted every second or few."}};
  Metric<Gauge> max{this, {"rondo_max_connections", "Most connections that may be open at once."}};
  Metric<Counter> accepted{this, {"rondo_connections_accepted_total", "Connections that were let in."}};
  Metric<Gauge> certificate_expires{this,
                                    {"rondo_tls_certificate_expiry_timestamp_seconds",
                                     "When the server's certificate expires, in Unix time; 0: no TLS."}};
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_CONNECTIONS_PROBE_H_
