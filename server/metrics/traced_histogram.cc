#include "server/metrics/traced_histogram.h"

namespace rondo {

void TracedHistogram::Observe(uint64_t value, const std::array<uint8_t, 16>& trace_id, absl::Time now) {
  Histogram::Observe(value);
  const MutexLock lock(&mutex_);
  exemplars_[BucketOf(value)] = {trace_id, value, now};
}

Histogram::Snapshot TracedHistogram::Read() const {
  std::vector<Exemplar> exemplars;
  {
    const MutexLock lock(&mutex_);  // before the counts are read: what was kept has been counted
    exemplars = exemplars_;
  }
  Snapshot snapshot = Histogram::Read();
  snapshot.exemplars = std::move(exemplars);
  return snapshot;
}

}  // namespace rondo
