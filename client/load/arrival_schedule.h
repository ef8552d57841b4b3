#ifndef RONDO_CLIENT_LOAD_ARRIVAL_SCHEDULE_H_
#define RONDO_CLIENT_LOAD_ARRIVAL_SCHEDULE_H_

#include <cstdint>
#include <optional>
#include <random>

namespace rondo::load {

enum class Arrivals { kConstant, kPoisson };

// When the messages of an open loop are to be sent. It does not know when they really are: a sender that is late finds
// every message that was due meanwhile, each with its own time, so that none is left out of the latencies.
//
// Pure policy: no clock and no lock; times are nanoseconds of any one clock.
class ArrivalSchedule {
 public:
  // `rate`: messages a second, > 0. The first is due at `start_nanos` (constant) or at a random time after it
  // (Poisson).
  ArrivalSchedule(double rate, Arrivals arrivals, uint64_t seed, int64_t start_nanos);

  // The scheduled time of the next message if it is due at `now_nanos`; then it is taken.
  std::optional<int64_t> TakeDue(int64_t now_nanos);

  // When the next message is due.
  int64_t next_nanos() const { return start_nanos_ + static_cast<int64_t>(next_offset_); }

 private:
  double Gap();

  const double mean_gap_nanos_;
  const Arrivals arrivals_;
  const int64_t start_nanos_;
  std::mt19937_64 random_;
  std::exponential_distribution<double> exponential_;
  double next_offset_ = 0;  // from start_nanos_: a double keeps fractions of a nanosecond, so the rate does not drift
};

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_ARRIVAL_SCHEDULE_H_
