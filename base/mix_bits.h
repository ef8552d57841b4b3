#ifndef RONDO_BASE_MIX_BITS_H_
#define RONDO_BASE_MIX_BITS_H_

#include <cstdint>

namespace rondo {

// What SplitMix64 adds to its state for each number: 2^64 divided by the golden ratio.
inline constexpr uint64_t kMixStep = 0x9e3779b97f4a7c15u;

// The finalizer of SplitMix64 (Steele et al., OOPSLA 2014): each bit of the result depends on all bits of `x`.
inline uint64_t MixBits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace rondo

#endif  // RONDO_BASE_MIX_BITS_H_
