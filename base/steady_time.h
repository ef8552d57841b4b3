#ifndef RONDO_BASE_STEADY_TIME_H_
#define RONDO_BASE_STEADY_TIME_H_

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace rondo {

// Gives a time that nobody sets: the Unix time when the process first asked, plus what the monotonic clock has counted
// since. Whoever measures how long something took, or decides when something ends, asks this clock.
inline absl::Time SteadyNow() {
  using Clock = std::chrono::steady_clock;
  static const absl::Time kZero = absl::Now() - absl::FromChrono(Clock::now().time_since_epoch());
  return kZero + absl::FromChrono(Clock::now().time_since_epoch());
}

// Gives how far the wall clock is ahead of SteadyNow, in whole seconds: by how much it has been set since the process
// first asked.
inline absl::Duration WallAhead() { return absl::Trunc(absl::Now() - SteadyNow(), absl::Seconds(1)); }

}  // namespace rondo

#endif  // RONDO_BASE_STEADY_TIME_H_
