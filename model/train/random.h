#ifndef RONDO_MODEL_TRAIN_RANDOM_H_
#define RONDO_MODEL_TRAIN_RANDOM_H_

#include <cmath>
#include <cstdint>

#include "base/mix_bits.h"

namespace rondo::train {

// Draws random numbers that depend on the seed and the stream only, not on the standard library: what a run draws in
// step n is a function of (seed, n), so a resumed run needs no generator state. A value type; one thread.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0) : state_(MixBits(seed) + MixBits(~stream)) {}

  uint64_t Bits() { return MixBits(state_ += kMixStep); }
  // Draws from [0, 1).
  double Uniform() { return static_cast<double>(Bits() >> 11) * 0x1.0p-53; }
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }
  // Draws from [0, bound). REQUIRES: bound > 0. The bias of the remainder is below 2^-40 for any bound a run has.
  int64_t Below(int64_t bound) { return static_cast<int64_t>(Bits() % static_cast<uint64_t>(bound)); }
  // Draws from the normal distribution (Box and Muller).
  double Normal() { return std::sqrt(-2 * std::log(1 - Uniform())) * std::cos(6.283185307179586 * Uniform()); }

 private:
  uint64_t state_;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_RANDOM_H_
