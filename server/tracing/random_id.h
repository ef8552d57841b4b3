#ifndef RONDO_SERVER_TRACING_RANDOM_ID_H_
#define RONDO_SERVER_TRACING_RANDOM_ID_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>

namespace rondo {

// This thread's dice: no secret, but no two servers throw alike.
inline std::mt19937_64& TracingDice() {
  thread_local std::mt19937_64 dice = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return dice;
}

// A TraceId or SpanId that nobody else has, and that is not zero.
template <typename Id>
Id RandomId() {
  Id id{};
  uint64_t bits = 0;
  for (size_t i = 0; i < id.size(); ++i) {
    if (i % 8 == 0) bits = std::max<uint64_t>(1, TracingDice()());
    id[i] = static_cast<uint8_t>(bits >> (8 * (i % 8)));
  }
  return id;
}

}  // namespace rondo

#endif  // RONDO_SERVER_TRACING_RANDOM_ID_H_
