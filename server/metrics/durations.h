#ifndef RONDO_SERVER_METRICS_DURATIONS_H_
#define RONDO_SERVER_METRICS_DURATIONS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "absl/time/time.h"
#include "server/metrics/metric_cells.h"

namespace rondo {

// Histograms of durations count nanoseconds and show seconds. They have six buckets a decade, so that a p50 or p99 read
// from them is within a third.
template <size_t kDecades>
constexpr std::array<uint64_t, 6 * kDecades + 1> DurationBounds(uint64_t first_nanoseconds) {
  constexpr uint64_t kTenths[] = {10, 15, 20, 30, 50, 70};
  std::array<uint64_t, 6 * kDecades + 1> bounds{};
  uint64_t decade = first_nanoseconds;
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (i > 0 && i % 6 == 0) decade *= 10;
    bounds[i] = decade * kTenths[i % 6] / 10;
  }
  return bounds;
}

inline constexpr auto kRequestBounds = DurationBounds<6>(10'000);  // 10 us .. 10 s
inline constexpr auto kStepBounds = DurationBounds<7>(1'000);      // 1 us .. 10 s: a small network's step takes 2 us
inline constexpr auto kLoadBounds = DurationBounds<5>(1'000'000);  // 1 ms .. 100 s

inline constexpr Buckets kRequestTimes = {kRequestBounds, 1e9};
inline constexpr Buckets kStepTimes = {kStepBounds, 1e9};
inline constexpr Buckets kLoadTimes = {kLoadBounds, 1e9};

// How often something happened, and its time in all.
struct CountAndTime {
  uint64_t count = 0;
  uint64_t nanoseconds = 0;

  CountAndTime& operator+=(const CountAndTime& other) {
    count += other.count;
    nanoseconds += other.nanoseconds;
    return *this;
  }
};

// Of a histogram of durations.
inline CountAndTime TotalOf(const Histogram& durations) {
  const Histogram::Snapshot snapshot = durations.Read();
  return {std::accumulate(snapshot.counts.begin(), snapshot.counts.end(), uint64_t{0}), snapshot.sum};
}

// 0 if negative.
inline uint64_t Nanoseconds(absl::Duration duration) {
  return static_cast<uint64_t>(std::max<int64_t>(0, absl::ToInt64Nanoseconds(duration)));
}

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_DURATIONS_H_
