#ifndef RONDO_CLIENT_LOAD_LATENCY_HISTOGRAM_H_
#define RONDO_CLIENT_LOAD_LATENCY_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rondo::load {

// Counts latencies in log-linear buckets, 128 to each power of two: a quantile is off by at most 0.4%.
//
// Range: 0 to 2^42 ns (73 minutes); longer ones count in the last bucket. The maximum is exact.
// Threads: none of its own, one at a time.
class LatencyHistogram {
 public:
  LatencyHistogram();

  // A negative latency counts as 0.
  void Record(int64_t latency_nanos);
  void Add(const LatencyHistogram& other);

  int64_t count() const { return count_; }
  // The smallest latency that at least this share of all recorded ones does not exceed; 0 if nothing was recorded.
  // REQUIRES: 0 < quantile <= 1.
  double QuantileSeconds(double quantile) const;
  double MaxSeconds() const { return max_nanos_ * 1e-9; }

 private:
  static size_t BucketOf(int64_t nanos);
  // The middle of a bucket.
  static double MiddleNanos(size_t bucket);

  std::vector<int64_t> counts_;
  int64_t count_ = 0;
  int64_t max_nanos_ = 0;
};

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_LATENCY_HISTOGRAM_H_
