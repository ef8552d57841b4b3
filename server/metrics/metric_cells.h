#ifndef RONDO_SERVER_METRICS_METRIC_CELLS_H_
#define RONDO_SERVER_METRICS_METRIC_CELLS_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "server/metrics/exemplar.h"

namespace rondo {

// These classes are what hot paths count with: they take no lock and allocate nothing. Each thread adds to a cell of
// its own cache lines, given out in turn (threads beyond kMetricCells share them); a reader sums the cells.
//
// Threads: every method may be called from any thread. A sum read while others add is of some moment in between.
inline constexpr size_t kMetricCells = 8;

// What the page shows of a cell that is one number.
struct Reading {
  double value = 0;
  bool only_grows = false;  // shown as a counter, else as a gauge
};

// A count that only grows.
class Counter {
 public:
  void Add(uint64_t n = 1);
  uint64_t Value() const;
  Reading Read() const { return {static_cast<double>(Value()), /*only_grows=*/true}; }

 private:
  struct alignas(64) Cell {
    std::atomic<uint64_t> value{0};
  };
  std::array<Cell, kMetricCells> cells_;
};

// A time that only grows: counts nanoseconds, and shows seconds.
class TimeCounter {
 public:
  void AddNanoseconds(uint64_t n) { nanoseconds_.Add(n); }
  Reading Read() const { return {static_cast<double>(nanoseconds_.Value()) / 1e9, /*only_grows=*/true}; }

 private:
  Counter nanoseconds_;
};

// A number that goes both ways, with one cell: for what changes once a request, not once a step.
class Gauge {
 public:
  explicit Gauge(int64_t value = 0) : value_(value) {}
  // Returns the number as it is then.
  int64_t Add(int64_t n) { return value_.fetch_add(n, std::memory_order_relaxed) + n; }
  void Set(int64_t n) { value_.store(n, std::memory_order_relaxed); }
  int64_t Value() const { return value_.load(std::memory_order_relaxed); }
  Reading Read() const { return {static_cast<double>(Value())}; }

 private:
  std::atomic<int64_t> value_;
};

// Where the buckets of a histogram end, in whole units, and how many of these units make one unit of the page.
struct Buckets {
  std::vector<uint64_t> bounds;  // inclusive, ascending
  double units_per_base = 1;     // e.g. 1e9 for nanoseconds that are shown in seconds
};

// The buckets of durations, which are counted in nanoseconds and shown in seconds: six a decade, so that a p50 or p99
// read from them is within a third. `first` times a power of ten is `last`.
Buckets DurationBuckets(absl::Duration first, absl::Duration last);

// 0 if negative.
inline uint64_t Nanoseconds(absl::Duration duration) {
  return static_cast<uint64_t>(std::max<int64_t>(0, absl::ToInt64Nanoseconds(duration)));
}

// How often something happened, and its time in all.
struct CountAndTime {
  uint64_t count = 0;
  uint64_t nanoseconds = 0;
};

// Counts of whole numbers (nanoseconds, rows) in buckets of fixed bounds.
class Histogram {
 public:
  struct Snapshot {
    std::vector<uint64_t> counts;  // one a bound: values above the bound before, up to this one; the last: above all
    uint64_t sum = 0;              // of all values; wraps after 584 years of nanoseconds
    const Buckets* buckets = nullptr;
    std::vector<Exemplar> exemplars;  // one a count, or none at all
  };

  explicit Histogram(Buckets buckets);

  // Counts `value` so many times.
  void Observe(uint64_t value, uint64_t times = 1);
  Snapshot Read() const;
  // Adds how many values were counted, and their sum, which is a time.
  void AddTo(CountAndTime* total) const;

 protected:
  const Buckets& buckets_of() const { return buckets_; }
  // Which of the counts is of `value`.
  size_t BucketOf(uint64_t value) const;

 private:
  struct alignas(64) Line {
    std::array<std::atomic<uint64_t>, 8> values{};
  };
  std::atomic<uint64_t>& Slot(size_t cell, size_t index) const;

  const Buckets buckets_;
  const size_t lines_per_cell_;
  const std::unique_ptr<Line[]> lines_;  // a cell: the buckets, then the sum
};

// A counter that shows the sum of what a histogram has observed, and counts nothing itself.
struct HistogramSum {
  const Histogram& of;
  Reading Read() const { return {static_cast<double>(of.Read().sum), /*only_grows=*/true}; }
};

// Cells that have labels: ForEach(show) calls show(label_values, cell) for each in turn.
struct LabelledCells {};
inline constexpr size_t kMostLabels = 6;  // of a family

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_METRIC_CELLS_H_
