#ifndef RONDO_MODEL_KERNELS_LANES_PLAIN_H_
#define RONDO_MODEL_KERNELS_LANES_PLAIN_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

// RONDO_LANES is defined by the source that includes this: an inlined function.

namespace rondo {

// Sixteen floats, one operation on each. Every operation rounds once, as IEEE 754 says, so the sets of instructions
// agree bit for bit on all that is not a NaN.
struct LanesPlain {
  float v[16];

  // Rows and panels of sixteen columns that a tile of sums holds; see Tile in step_functions.h.
  static constexpr int kMaxRows = 2;
  static constexpr int PanelsFor(int) { return 1; }
  static constexpr bool kFinishesTwoRows = false;

  RONDO_LANES static LanesPlain Load(const float* from) { return LoadFirst(from, 16); }
  // Load, and one read for all uses: gcc 12 reads again for each of two.
  RONDO_LANES static LanesPlain LoadOnce(const float* from) { return Load(from); }
  // Sixteen numbers of another type, each of which is a float too: bfloat16, the upper half of a float; and int8_t.
  RONDO_LANES static LanesPlain LoadOnce(const uint16_t* from) {
    LanesPlain lanes;
    for (int i = 0; i < 16; ++i) {
      const uint32_t bits = static_cast<uint32_t>(from[i]) << 16;
      std::memcpy(&lanes.v[i], &bits, sizeof(bits));
    }
    return lanes;
  }
  RONDO_LANES static LanesPlain LoadOnce(const int8_t* from) {
    LanesPlain lanes;
    for (int i = 0; i < 16; ++i) lanes.v[i] = from[i];
    return lanes;
  }
  // Zeros after the first `size` floats; nothing is read past them.
  RONDO_LANES static LanesPlain LoadFirst(const float* from, size_t size) {
    LanesPlain lanes = {};
    std::memcpy(lanes.v, from, size * sizeof(float));
    return lanes;
  }
  RONDO_LANES static LanesPlain Broadcast(float value) {
    LanesPlain lanes;
    for (float& lane : lanes.v) lane = value;
    return lanes;
  }
  RONDO_LANES void Store(float* to) const { StoreFirst(to, 16); }
  RONDO_LANES void StoreFirst(float* to, size_t size) const { std::memcpy(to, v, size * sizeof(float)); }

  // a * b + c, rounded once.
  RONDO_LANES static LanesPlain MulAdd(const LanesPlain& a, const LanesPlain& b, LanesPlain c) {
    for (int i = 0; i < 16; ++i) c.v[i] = std::fma(a.v[i], b.v[i], c.v[i]);
    return c;
  }
  // c - a * b, rounded once.
  RONDO_LANES static LanesPlain NegMulAdd(const LanesPlain& a, const LanesPlain& b, LanesPlain c) {
    for (int i = 0; i < 16; ++i) c.v[i] = std::fma(-a.v[i], b.v[i], c.v[i]);
    return c;
  }
  RONDO_LANES static LanesPlain Add(LanesPlain a, const LanesPlain& b) {
    for (int i = 0; i < 16; ++i) a.v[i] += b.v[i];
    return a;
  }
  RONDO_LANES static LanesPlain Sub(LanesPlain a, const LanesPlain& b) {
    for (int i = 0; i < 16; ++i) a.v[i] -= b.v[i];
    return a;
  }
  RONDO_LANES static LanesPlain Mul(LanesPlain a, const LanesPlain& b) {
    for (int i = 0; i < 16; ++i) a.v[i] *= b.v[i];
    return a;
  }
  RONDO_LANES static LanesPlain Div(LanesPlain a, const LanesPlain& b) {
    for (int i = 0; i < 16; ++i) a.v[i] /= b.v[i];
    return a;
  }
  RONDO_LANES static LanesPlain Sqrt(LanesPlain a) {
    for (float& lane : a.v) lane = std::sqrt(lane);
    return a;
  }
  // b where one of the two is a NaN, as x86 does.
  RONDO_LANES static LanesPlain Max(const LanesPlain& a, LanesPlain b) {
    for (int i = 0; i < 16; ++i) b.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
    return b;
  }
  RONDO_LANES static LanesPlain Min(const LanesPlain& a, LanesPlain b) {
    for (int i = 0; i < 16; ++i) b.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
    return b;
  }
  // -(a * b) - c, rounded once.
  RONDO_LANES static LanesPlain NegMulSub(const LanesPlain& a, const LanesPlain& b, LanesPlain c) {
    for (int i = 0; i < 16; ++i) c.v[i] = std::fma(-a.v[i], b.v[i], -c.v[i]);
    return c;
  }
  // 2^n of n + kExponentShift, whose last bits are the exponent of 2^n. -126 <= n <= 127.
  RONDO_LANES static LanesPlain PowerOfTwo(LanesPlain shifted) {
    for (float& lane : shifted.v) {
      uint32_t bits;
      std::memcpy(&bits, &lane, sizeof(bits));
      bits <<= 23;
      std::memcpy(&lane, &bits, sizeof(bits));
    }
    return shifted;
  }
};

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_LANES_PLAIN_H_
