#ifndef RONDO_MODEL_KERNELS_LANES_AVX2_H_
#define RONDO_MODEL_KERNELS_LANES_AVX2_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

// RONDO_LANES is defined by the source that includes this: an inlined function for AVX2 and FMA.

namespace rondo {

// Sixteen floats in two registers; lanes_plain.h says what each operation is.
struct LanesAvx2 {
  __m256 lo, hi;

  // Rows and panels of sixteen columns that a tile of sums holds in the 16 registers; see Tile in step_functions.h.
  static constexpr int kMaxRows = 6;
  static constexpr int PanelsFor(int rows) { return rows == 1 ? 4 : rows <= 3 ? 2 : 1; }
  // Whether the activations of two rows fit them at once; see two_rows.h.
  static constexpr bool kFinishesTwoRows = false;

  RONDO_LANES static LanesAvx2 Load(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
  RONDO_LANES static LanesAvx2 LoadOnce(const float* from) {
    LanesAvx2 lanes = Load(from);
    asm("" : "+x"(lanes.lo), "+x"(lanes.hi));
    return lanes;
  }
  RONDO_LANES static LanesAvx2 LoadOnce(const uint16_t* from) {
    const __m256i lo = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    const __m256i hi = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 8)));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(lo, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(hi, 16))};
  }
  RONDO_LANES static LanesAvx2 LoadOnce(const int8_t* from) {
    const __m256i lo = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    const __m256i hi = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + 8)));
    return {_mm256_cvtepi32_ps(lo), _mm256_cvtepi32_ps(hi)};
  }
  RONDO_LANES static LanesAvx2 LoadFirst(const float* from, size_t size) {
    alignas(32) float floats[16] = {};
    std::memcpy(floats, from, size * sizeof(float));
    return Load(floats);
  }
  RONDO_LANES static LanesAvx2 Broadcast(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }
  RONDO_LANES void Store(float* to) const {
    _mm256_storeu_ps(to, lo);
    _mm256_storeu_ps(to + 8, hi);
  }
  RONDO_LANES void StoreFirst(float* to, size_t size) const {
    alignas(32) float floats[16];
    Store(floats);
    std::memcpy(to, floats, size * sizeof(float));
  }
  RONDO_LANES static LanesAvx2 MulAdd(LanesAvx2 a, LanesAvx2 b, LanesAvx2 c) {
    return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
  }
  RONDO_LANES static LanesAvx2 NegMulAdd(LanesAvx2 a, LanesAvx2 b, LanesAvx2 c) {
    return {_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
  }
  RONDO_LANES static LanesAvx2 NegMulSub(LanesAvx2 a, LanesAvx2 b, LanesAvx2 c) {
    return {_mm256_fnmsub_ps(a.lo, b.lo, c.lo), _mm256_fnmsub_ps(a.hi, b.hi, c.hi)};
  }
  RONDO_LANES static LanesAvx2 Add(LanesAvx2 a, LanesAvx2 b) {
    return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
  }
  RONDO_LANES static LanesAvx2 Sub(LanesAvx2 a, LanesAvx2 b) {
    return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)};
  }
  RONDO_LANES static LanesAvx2 Mul(LanesAvx2 a, LanesAvx2 b) {
    return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
  }
  RONDO_LANES static LanesAvx2 Div(LanesAvx2 a, LanesAvx2 b) {
    return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)};
  }
  RONDO_LANES static LanesAvx2 Sqrt(LanesAvx2 a) { return {_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)}; }
  RONDO_LANES static LanesAvx2 Max(LanesAvx2 a, LanesAvx2 b) {
    return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)};
  }
  RONDO_LANES static LanesAvx2 Min(LanesAvx2 a, LanesAvx2 b) {
    return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)};
  }
  RONDO_LANES static LanesAvx2 PowerOfTwo(LanesAvx2 shifted) {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(shifted.lo), 23)),
            _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(shifted.hi), 23))};
  }
};

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_LANES_AVX2_H_
