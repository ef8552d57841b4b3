#include "server/metrics/request_durations.h"

#include <memory>

#include "absl/time/clock.h"

namespace rondo {

RequestDurations::RequestDurations() {
  // The series of OK exist from the start: the first requests then show up in a rate.
  for (size_t method = 0; method < kCountOf<Method>; ++method) Cell(method, 0);
}

RequestDurations::~RequestDurations() {
  for (auto& by_code : cells_) {
    for (auto& cell : by_code) delete cell.load();
  }
}

TracedHistogram& RequestDurations::Cell(size_t method, size_t code) {
  std::atomic<TracedHistogram*>& slot = cells_[method][code];
  TracedHistogram* cell = slot.load(std::memory_order_acquire);
  if (cell != nullptr) return *cell;
  auto made = std::make_unique<TracedHistogram>(RequestTimes());
  if (slot.compare_exchange_strong(cell, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *cell;  // another thread was first
}

void RequestDurations::Observe(Method method, absl::StatusCode code, absl::Duration duration,
                               const std::array<uint8_t, 16>* trace_id) {
  auto number = static_cast<size_t>(code);
  if (number >= kNumCodes) number = static_cast<size_t>(absl::StatusCode::kUnknown);
  TracedHistogram& cell = Cell(static_cast<size_t>(method), number);
  if (trace_id == nullptr) return cell.Observe(Nanoseconds(duration));
  cell.Observe(Nanoseconds(duration), *trace_id, absl::Now());
}

}  // namespace rondo
