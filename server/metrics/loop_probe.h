#ifndef RONDO_SERVER_METRICS_LOOP_PROBE_H_
#define RONDO_SERVER_METRICS_LOOP_PROBE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/metrics/durations.h"
#include "server/metrics/metric_cells.h"
#include "server/metrics/probe.h"

namespace rondo {

inline constexpr std::array<uint64_t, 20> kBatchSizes = {1,  2,  3,  4,   6,   8,   12,  16,  24,  32,
                                                         48, 64, 96, 128, 192, 256, 384, 512, 768, 1024};

// What the serving loops compute with one model name.
struct LoopProbe : Probe {
  Metric<Histogram> queue{
      this,
      {"rondo_queue_duration_seconds", "From the admission of a sequence to its first kernel call, in seconds."},
      kStepTimes};
  Metric<Histogram> step{
      this, {"rondo_step_duration_seconds", "One kernel call over one batch, in seconds."}, kStepTimes};
  Metric<Histogram> batch_size{
      this, {"rondo_batch_size", "Steps that ran together in one kernel call."}, Buckets{kBatchSizes}};
  Metric<HistogramSum> steps{this, {"rondo_steps_total", "Timesteps computed."}, HistogramSum{batch_size}};

  // These two are no families of their own; see ModelTotals.
  Counter row_nanoseconds;  // of each batch, as many times as it had rows
  Gauge last_batch_ms;      // Unix milliseconds; 0: none yet

  // So many sequences waited `duration` between admission and their first kernel call.
  void ObserveQueue(absl::Duration duration, size_t sequences) { queue.Observe(Nanoseconds(duration), sequences); }
  // One kernel call over `rows` rows.
  void ObserveStep(absl::Duration duration, size_t rows) {
    step.Observe(Nanoseconds(duration));
    batch_size.Observe(rows);
    row_nanoseconds.Add(Nanoseconds(duration) * rows);
    last_batch_ms.Set(absl::ToUnixMillis(absl::Now()));
  }
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_LOOP_PROBE_H_
