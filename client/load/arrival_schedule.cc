#include "client/load/arrival_schedule.h"

namespace rondo::load {

ArrivalSchedule::ArrivalSchedule(double rate, Arrivals arrivals, uint64_t seed, int64_t start_nanos)
    : mean_gap_nanos_(1e9 / rate), arrivals_(arrivals), start_nanos_(start_nanos), random_(seed) {
  if (arrivals_ == Arrivals::kPoisson) next_offset_ = Gap();
}

std::optional<int64_t> ArrivalSchedule::TakeDue(int64_t now_nanos) {
  const int64_t due = next_nanos();
  if (due > now_nanos) return std::nullopt;
  next_offset_ += Gap();
  return due;
}

double ArrivalSchedule::Gap() {
  if (arrivals_ == Arrivals::kConstant) return mean_gap_nanos_;
  return mean_gap_nanos_ * exponential_(random_);
}

}  // namespace rondo::load
