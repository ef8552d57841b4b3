#ifndef RONDO_SERVER_METRICS_PROCESS_PROBE_H_
#define RONDO_SERVER_METRICS_PROCESS_PROBE_H_

#include "server/metrics/page.h"

namespace rondo {

// Adds what was built, and the process_* families that every Prometheus client library has. Any thread.
void ShowProcess(Page* page);

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_PROCESS_PROBE_H_
