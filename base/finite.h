#ifndef RONDO_BASE_FINITE_H_
#define RONDO_BASE_FINITE_H_

#include <cstdint>
#include <cstring>

#include "absl/types/span.h"

namespace rondo {

// Tells whether no value is NaN or infinite. It tests bits, without a branch, since compilers vectorise that without
// -ffast-math: adding one to an exponent of all ones carries into the sign.
inline bool AllFinite(absl::Span<const float> values) {
  uint32_t carries = 0;
  for (const float value : values) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    carries |= (bits & 0x7fffffffu) + 0x00800000u;
  }
  return (carries & 0x80000000u) == 0;
}

}  // namespace rondo

#endif  // RONDO_BASE_FINITE_H_
