#include "client/load/latency_histogram.h"

#include <algorithm>
#include <cmath>

#include "absl/numeric/bits.h"

namespace rondo::load {
namespace {

constexpr int kSubBits = 7;
constexpr int64_t kSubBuckets = int64_t{1} << kSubBits;
constexpr int kMaxBits = 42;
constexpr int64_t kLargestNanos = (int64_t{1} << kMaxBits) - 1;

// Below 2 * kSubBuckets a bucket is one nanosecond; each further power of two has kSubBuckets buckets.
constexpr size_t kBuckets = (kMaxBits - kSubBits + 1) * kSubBuckets;

}  // namespace

LatencyHistogram::LatencyHistogram() : counts_(kBuckets, 0) {}

size_t LatencyHistogram::BucketOf(int64_t nanos) {
  const auto value = static_cast<uint64_t>(nanos);
  const int shift = std::max(0, static_cast<int>(absl::bit_width(value)) - 1 - kSubBits);
  return static_cast<size_t>(shift) * kSubBuckets + (value >> shift);
}

double LatencyHistogram::MiddleNanos(size_t bucket) {
  if (bucket < 2 * kSubBuckets) return static_cast<double>(bucket);
  const size_t shift = bucket / kSubBuckets - 1;
  const double width = static_cast<double>(uint64_t{1} << shift);
  return (static_cast<double>(bucket - shift * kSubBuckets) + 0.5) * width;
}

void LatencyHistogram::Record(int64_t latency_nanos) {
  latency_nanos = std::max<int64_t>(0, latency_nanos);
  ++counts_[BucketOf(std::min(latency_nanos, kLargestNanos))];
  ++count_;
  max_nanos_ = std::max(max_nanos_, latency_nanos);
}

void LatencyHistogram::Add(const LatencyHistogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_nanos_ = std::max(max_nanos_, other.max_nanos_);
}

double LatencyHistogram::QuantileSeconds(double quantile) const {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<int64_t>(std::ceil(quantile * static_cast<double>(count_)));
  int64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    // The middle of the last bucket in use may lie above the largest latency that was seen.
    if (seen >= wanted) return std::min(MiddleNanos(i), static_cast<double>(max_nanos_)) * 1e-9;
  }
  return MaxSeconds();
}

}  // namespace rondo::load
