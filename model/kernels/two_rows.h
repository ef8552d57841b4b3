#ifndef RONDO_MODEL_KERNELS_TWO_ROWS_H_
#define RONDO_MODEL_KERNELS_TWO_ROWS_H_

// RONDO_LANES is defined by the source that includes this: an inlined function for its set of instructions.

namespace rondo {
namespace {

// Lanes of two rows, one operation on each: one row's activations run while the other's wait for theirs. With AVX-512
// that takes the gates of 16 units of an lstm from 74 to 66 cycles; with AVX2 the registers do not suffice.
template <typename Lanes>
struct TwoRows {
  Lanes a, b;

  RONDO_LANES static TwoRows Broadcast(float value) { return {Lanes::Broadcast(value), Lanes::Broadcast(value)}; }
  RONDO_LANES static TwoRows MulAdd(TwoRows x, TwoRows y, TwoRows z) {
    return {Lanes::MulAdd(x.a, y.a, z.a), Lanes::MulAdd(x.b, y.b, z.b)};
  }
  RONDO_LANES static TwoRows NegMulAdd(TwoRows x, TwoRows y, TwoRows z) {
    return {Lanes::NegMulAdd(x.a, y.a, z.a), Lanes::NegMulAdd(x.b, y.b, z.b)};
  }
  RONDO_LANES static TwoRows NegMulSub(TwoRows x, TwoRows y, TwoRows z) {
    return {Lanes::NegMulSub(x.a, y.a, z.a), Lanes::NegMulSub(x.b, y.b, z.b)};
  }
  RONDO_LANES static TwoRows Add(TwoRows x, TwoRows y) { return {Lanes::Add(x.a, y.a), Lanes::Add(x.b, y.b)}; }
  RONDO_LANES static TwoRows Sub(TwoRows x, TwoRows y) { return {Lanes::Sub(x.a, y.a), Lanes::Sub(x.b, y.b)}; }
  RONDO_LANES static TwoRows Mul(TwoRows x, TwoRows y) { return {Lanes::Mul(x.a, y.a), Lanes::Mul(x.b, y.b)}; }
  RONDO_LANES static TwoRows Div(TwoRows x, TwoRows y) { return {Lanes::Div(x.a, y.a), Lanes::Div(x.b, y.b)}; }
  RONDO_LANES static TwoRows Max(TwoRows x, TwoRows y) { return {Lanes::Max(x.a, y.a), Lanes::Max(x.b, y.b)}; }
  RONDO_LANES static TwoRows Min(TwoRows x, TwoRows y) { return {Lanes::Min(x.a, y.a), Lanes::Min(x.b, y.b)}; }
  RONDO_LANES static TwoRows PowerOfTwo(TwoRows x) { return {Lanes::PowerOfTwo(x.a), Lanes::PowerOfTwo(x.b)}; }
};

}  // namespace
}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_TWO_ROWS_H_
