#ifndef RONDO_SERVER_METRICS_STORE_PROBE_H_
#define RONDO_SERVER_METRICS_STORE_PROBE_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/metrics/durations.h"
#include "server/metrics/label_values.h"
#include "server/metrics/metric_cells.h"
#include "server/metrics/probe.h"

namespace rondo {

// The calls to a session store that are measured; see SessionStore.
enum class StoreOperation { kLoad, kSave };

constexpr absl::string_view LabelOf(StoreOperation operation) {
  switch (operation) {
    case StoreOperation::kLoad:
      return "load";
    case StoreOperation::kSave:
      return "save";
  }
  return {};
}

// The calls to the session store.
struct StoreProbe : Probe {
  Metric<PerLabel<Histogram, StoreOperation>> durations{
      this,
      {"rondo_store_duration_seconds", "One call to the session store, of one or many sessions, in seconds.", {"op"}},
      kRequestTimes};
  Metric<PerLabel<Counter, StoreOperation>> errors{
      this, {"rondo_store_errors_total", "Sessions that the store could not load or save.", {"op"}}};
  Metric<Counter> damaged_bytes{this,
                                {"rondo_store_damaged_bytes_total",
                                 "Bytes of the session store's log that were damaged and left out at the start."}};

  // One call, whatever the number of its sessions; it failed for `failed_sessions` of them.
  void Observe(StoreOperation operation, absl::Duration duration, size_t failed_sessions) {
    durations[operation].Observe(Nanoseconds(duration));
    errors[operation].Add(failed_sessions);
  }
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_STORE_PROBE_H_
