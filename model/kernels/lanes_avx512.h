#ifndef RONDO_MODEL_KERNELS_LANES_AVX512_H_
#define RONDO_MODEL_KERNELS_LANES_AVX512_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

// RONDO_LANES is defined by the source that includes this: an inlined function for AVX-512.

namespace rondo {

// Sixteen floats; lanes_plain.h says what each operation is.
struct LanesAvx512 {
  __m512 v;

  // Rows and panels of sixteen columns that a tile of sums holds in the 32 registers; see Tile in step_functions.h.
  static constexpr int kMaxRows = 12;
  static constexpr int PanelsFor(int rows) { return rows <= 2 ? 8 : rows <= 6 ? 4 : 2; }
  // Whether the activations of two rows fit them at once; see two_rows.h.
  static constexpr bool kFinishesTwoRows = true;

  RONDO_LANES static LanesAvx512 Load(const float* from) { return {_mm512_loadu_ps(from)}; }
  RONDO_LANES static LanesAvx512 LoadOnce(const float* from) {
    LanesAvx512 lanes = Load(from);
    asm("" : "+v"(lanes.v));
    return lanes;
  }
  RONDO_LANES static LanesAvx512 LoadOnce(const uint16_t* from) {
    const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xffff, _mm512_maskz_cvtepu16_epi32(0xffff, halves), 16))};
  }
  RONDO_LANES static LanesAvx512 LoadOnce(const int8_t* from) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return {_mm512_maskz_cvtepi32_ps(0xffff, _mm512_maskz_cvtepi8_epi32(0xffff, bytes))};
  }
  RONDO_LANES static LanesAvx512 LoadFirst(const float* from, size_t size) {
    return {_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << size) - 1), from)};
  }
  RONDO_LANES static LanesAvx512 Broadcast(float value) { return {_mm512_set1_ps(value)}; }
  RONDO_LANES void Store(float* to) const { _mm512_storeu_ps(to, v); }
  RONDO_LANES void StoreFirst(float* to, size_t size) const {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << size) - 1), v);
  }
  RONDO_LANES static LanesAvx512 MulAdd(LanesAvx512 a, LanesAvx512 b, LanesAvx512 c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
  }
  RONDO_LANES static LanesAvx512 NegMulAdd(LanesAvx512 a, LanesAvx512 b, LanesAvx512 c) {
    return {_mm512_fnmadd_ps(a.v, b.v, c.v)};
  }
  RONDO_LANES static LanesAvx512 NegMulSub(LanesAvx512 a, LanesAvx512 b, LanesAvx512 c) {
    return {_mm512_fnmsub_ps(a.v, b.v, c.v)};
  }
  RONDO_LANES static LanesAvx512 Add(LanesAvx512 a, LanesAvx512 b) { return {_mm512_add_ps(a.v, b.v)}; }
  RONDO_LANES static LanesAvx512 Sub(LanesAvx512 a, LanesAvx512 b) { return {_mm512_sub_ps(a.v, b.v)}; }
  RONDO_LANES static LanesAvx512 Mul(LanesAvx512 a, LanesAvx512 b) { return {_mm512_mul_ps(a.v, b.v)}; }
  RONDO_LANES static LanesAvx512 Div(LanesAvx512 a, LanesAvx512 b) { return {_mm512_div_ps(a.v, b.v)}; }
  RONDO_LANES static LanesAvx512 Sqrt(LanesAvx512 a) { return {_mm512_maskz_sqrt_ps(0xffff, a.v)}; }
  RONDO_LANES static LanesAvx512 Max(LanesAvx512 a, LanesAvx512 b) { return {_mm512_maskz_max_ps(0xffff, a.v, b.v)}; }
  RONDO_LANES static LanesAvx512 Min(LanesAvx512 a, LanesAvx512 b) { return {_mm512_maskz_min_ps(0xffff, a.v, b.v)}; }
  RONDO_LANES static LanesAvx512 PowerOfTwo(LanesAvx512 shifted) {
    return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xffff, _mm512_castps_si512(shifted.v), 23))};
  }
};

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_LANES_AVX512_H_
