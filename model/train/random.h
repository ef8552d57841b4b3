#ifndef RONDO_MODEL_TRAIN_RANDOM_H_
#define RONDO_MODEL_TRAIN_RANDOM_H_

#include <cmath>
#include <cstdint>

namespace rondo::train {

// Mixes bits as SplitMix64 does (Steele, Lea, Flood 2014).
inline uint64_t MixBits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Draws random numbers that depend on the seed and the stream only, not on the standard library: what a run draws in
// step n is a function of (seed, n), so a resumed run needs no generator state. A value type; one thread.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0) : state_(MixBits(seed) + MixBits(~stream)) {}

  uint64_t Bits() { return MixBits(state_ += 0x9e3779b97f4a7c15ULL); }
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
