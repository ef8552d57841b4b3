#ifndef RONDO_SERVER_METRICS_TRACED_HISTOGRAM_H_
#define RONDO_SERVER_METRICS_TRACED_HISTOGRAM_H_

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "server/metrics/exemplar.h"
#include "server/metrics/metric_cells.h"

namespace rondo {

// A histogram that keeps, of each bucket, the newest value that a trace shows: so many at most as it has buckets.
//
// Threads: every method may be called from any thread.
class TracedHistogram : public Histogram {
 public:
  explicit TracedHistogram(Buckets buckets)
      : Histogram(std::move(buckets)), exemplars_(buckets_of().bounds.size() + 1) {}

  using Histogram::Observe;
  // Counts `value` once, and keeps it as an exemplar. Takes a lock: for the few requests that are traced.
  void Observe(uint64_t value, const std::array<uint8_t, 16>& trace_id, absl::Time now);
  // Each exemplar is among the values that are counted.
  Snapshot Read() const;

 private:
  mutable Mutex mutex_;
  std::vector<Exemplar> exemplars_ ABSL_GUARDED_BY(mutex_);  // one a bucket
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_TRACED_HISTOGRAM_H_
