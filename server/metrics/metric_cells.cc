#include "server/metrics/metric_cells.h"

#include <numeric>
#include <utility>

namespace rondo {
namespace {

size_t ThisThreadsCell() {
  static std::atomic<size_t> next{0};
  thread_local const size_t cell = next.fetch_add(1, std::memory_order_relaxed) % kMetricCells;
  return cell;
}

}  // namespace

void Counter::Add(uint64_t n) { cells_[ThisThreadsCell()].value.fetch_add(n, std::memory_order_relaxed); }

uint64_t Counter::Value() const {
  uint64_t sum = 0;
  for (const Cell& cell : cells_) sum += cell.value.load(std::memory_order_relaxed);
  return sum;
}

Buckets DurationBuckets(absl::Duration first, absl::Duration last) {
  Buckets buckets;
  buckets.units_per_base = 1e9;
  for (absl::Duration decade = first; decade < last; decade *= 10) {
    for (const uint64_t tenths : {10, 15, 20, 30, 50, 70}) buckets.bounds.push_back(Nanoseconds(decade) * tenths / 10);
  }
  buckets.bounds.push_back(Nanoseconds(last));
  return buckets;
}

Histogram::Histogram(Buckets buckets)
    : buckets_(std::move(buckets)),
      lines_per_cell_((buckets_.bounds.size() + 2 + 7) / 8),
      lines_(new Line[kMetricCells * lines_per_cell_]) {}

std::atomic<uint64_t>& Histogram::Slot(size_t cell, size_t index) const {
  return lines_[cell * lines_per_cell_ + index / 8].values[index % 8];
}

size_t Histogram::BucketOf(uint64_t value) const {
  return std::lower_bound(buckets_.bounds.begin(), buckets_.bounds.end(), value) - buckets_.bounds.begin();
}

void Histogram::Observe(uint64_t value, uint64_t times) {
  const size_t cell = ThisThreadsCell();
  Slot(cell, BucketOf(value)).fetch_add(times, std::memory_order_relaxed);
  Slot(cell, buckets_.bounds.size() + 1).fetch_add(value * times, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::Read() const {
  Snapshot snapshot;
  snapshot.buckets = &buckets_;
  snapshot.counts.resize(buckets_.bounds.size() + 1);
  for (size_t cell = 0; cell < kMetricCells; ++cell) {
    for (size_t i = 0; i < snapshot.counts.size(); ++i) {
      snapshot.counts[i] += Slot(cell, i).load(std::memory_order_relaxed);
    }
    snapshot.sum += Slot(cell, buckets_.bounds.size() + 1).load(std::memory_order_relaxed);
  }
  return snapshot;
}

void Histogram::AddTo(CountAndTime* total) const {
  const Snapshot snapshot = Read();
  total->count = std::accumulate(snapshot.counts.begin(), snapshot.counts.end(), total->count);
  total->nanoseconds += snapshot.sum;
}

}  // namespace rondo
