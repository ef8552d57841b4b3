#ifndef RONDO_SERVER_METRICS_METRIC_CELLS_H_
#define RONDO_SERVER_METRICS_METRIC_CELLS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"

namespace rondo {

// These classes are what hot paths count with: they take no lock and allocate nothing. Each thread adds to a cell of
// its own cache lines, given out in turn (threads beyond kMetricCells share them); a reader sums the cells.
//
// Threads: every method may be called from any thread. A sum read while others add is of some moment in between.
inline constexpr size_t kMetricCells = 8;

// A count that only grows.
class Counter {
 public:
  void Add(uint64_t n = 1);
  uint64_t Value() const;

 private:
  struct alignas(64) Cell {
    std::atomic<uint64_t> value{0};
  };
  std::array<Cell, kMetricCells> cells_;
};

// A number that goes both ways, with one cell: for what changes once a request, not once a step.
class Gauge {
 public:
  void Add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  void Set(int64_t n) { value_.store(n, std::memory_order_relaxed); }
  int64_t Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Where the buckets of a histogram end, in whole units, and how many of these units make one unit of the page.
struct Buckets {
  absl::Span<const uint64_t> bounds;  // inclusive, ascending
  double units_per_base = 1;          // e.g. 1e9 for nanoseconds that are shown in seconds
};

// Counts of whole numbers (nanoseconds, rows) in buckets of fixed bounds.
class Histogram {
 public:
  struct Snapshot {
    std::vector<uint64_t> counts;  // one a bound: values above the bound before, up to this one; the last: above all
    uint64_t sum = 0;              // of all values; wraps after 584 years of nanoseconds
  };

  // The bounds must outlive the histogram.
  explicit Histogram(const Buckets& buckets);

  // Counts `value` so many times.
  void Observe(uint64_t value, uint64_t times = 1);
  Snapshot Read() const;
  const Buckets& buckets() const { return buckets_; }

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
};

// A number that is read when the page is made.
struct Reading {
  double value = 0;
  bool only_grows = false;  // shown as a counter, else as a gauge
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_METRIC_CELLS_H_
