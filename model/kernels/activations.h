#ifndef RONDO_MODEL_KERNELS_ACTIVATIONS_H_
#define RONDO_MODEL_KERNELS_ACTIVATIONS_H_

#include "model/kernels/activation_function.h"

// RONDO_LANES is defined by the source that includes this: an inlined function for its set of instructions.

// Exponentials, in steps that are rounded alike with every set of instructions. Bounds are measured against float64 by
// activations_test. A NaN goes through.

namespace rondo {
namespace {

// Adding 1.5 * 2^23 rounds to a whole number n, which stands in the last bits of the sum; 127 more make those bits the
// exponent of 2^n.
inline constexpr float kExponentShift = 0x1.8p23f + 127;

// e^x as scale * (1 + rest): scale is a power of two, rest is e^r - 1 with |r| <= ln(2) / 2.
template <typename Lanes>
struct Exponential {
  Lanes scale, rest;
};

// (e^r - 1 - r) / r^2, a minimax polynomial: e^r - 1 is within 1.4e-8 of its size before rounding.
template <typename Lanes>
RONDO_LANES Lanes ExpMinusOneRest(Lanes r) {
  Lanes q = Lanes::MulAdd(Lanes::Broadcast(0x1.6bebf2p-10f), r, Lanes::Broadcast(0x1.1227f6p-7f));
  q = Lanes::MulAdd(q, r, Lanes::Broadcast(0x1.555674p-5f));
  q = Lanes::MulAdd(q, r, Lanes::Broadcast(0x1.5554b0p-3f));
  q = Lanes::MulAdd(q, r, Lanes::Broadcast(0x1.fffffep-2f));
  return Lanes::MulAdd(Lanes::Mul(r, r), q, r);
}

// e^x, or e^-x if kNegate, within 1.1 ulp once put together. ln(2) comes in two parts: the first product is exact
// inside the fused operation. REQUIRES: |x| <= 87, or NaN.
template <bool kNegate, typename Lanes>
RONDO_LANES Exponential<Lanes> SplitExp(Lanes x) {
  const Lanes log2_e = Lanes::Broadcast(0x1.715476p+0f);
  const Lanes ln_2 = Lanes::Broadcast(0x1.62e430p-1f);
  const Lanes shift = Lanes::Broadcast(kExponentShift);
  const Lanes shifted = kNegate ? Lanes::NegMulAdd(x, log2_e, shift) : Lanes::MulAdd(x, log2_e, shift);
  const Lanes n = Lanes::Sub(shifted, shift);
  const Lanes r = kNegate ? Lanes::NegMulSub(n, ln_2, x) : Lanes::NegMulAdd(n, ln_2, x);
  return {Lanes::PowerOfTwo(shifted), ExpMinusOneRest(Lanes::NegMulAdd(n, Lanes::Broadcast(-0x1.05c610p-29f), r))};
}

// x between the two bounds; NaN stays NaN.
template <typename Lanes>
RONDO_LANES Lanes Clamp(Lanes x, float lowest, float highest) {
  return Lanes::Min(Lanes::Broadcast(highest), Lanes::Max(Lanes::Broadcast(lowest), x));
}

// 1 + e^-x for x in [-87, 87], the values there outside: what a sigmoid divides by.
template <typename Lanes>
RONDO_LANES Lanes SigmoidDivisor(Lanes x) {
  const auto e = SplitExp<true>(Clamp(x, -87.0f, 87.0f));
  return Lanes::MulAdd(e.scale, e.rest, Lanes::Add(e.scale, Lanes::Broadcast(1.0f)));
}

// tanh(x) as (e^2x - 1) / (e^2x + 1), the first accurate also near 0. Beyond 15 tanh is 1.
template <typename Lanes>
struct Fraction {
  Lanes dividend, divisor;
};

template <typename Lanes>
RONDO_LANES Fraction<Lanes> TanhFraction(Lanes x) {
  const auto e = SplitExp<false>(Clamp(Lanes::Add(x, x), -87.0f, 30.0f));
  const Lanes one = Lanes::Broadcast(1.0f);
  return {Lanes::MulAdd(e.scale, e.rest, Lanes::Sub(e.scale, one)),
          Lanes::MulAdd(e.scale, e.rest, Lanes::Add(e.scale, one))};
}

// Within 2.2 ulp; 1 / (1 + e^87) = 1.6e-38 below -87.
template <typename Lanes>
RONDO_LANES Lanes Sigmoid(Lanes x) {
  return Lanes::Div(Lanes::Broadcast(1.0f), SigmoidDivisor(x));
}

// Within 2.9 ulp.
template <typename Lanes>
RONDO_LANES Lanes Tanh(Lanes x) {
  const Fraction<Lanes> tanh = TanhFraction(x);
  return Lanes::Div(tanh.dividend, tanh.divisor);
}

// sigmoid(gate) * tanh(x) with one division, which costs as much as a whole exponential. Within 4 ulp; 0 where the
// product is below 1e-25.
template <typename Lanes>
RONDO_LANES Lanes SigmoidTimesTanh(Lanes gate, Lanes x) {
  const Fraction<Lanes> tanh = TanhFraction(x);
  return Lanes::Div(tanh.dividend, Lanes::Mul(SigmoidDivisor(gate), tanh.divisor));
}

// e^x, that of the nearer bound outside [-87, 88].
template <typename Lanes>
RONDO_LANES Lanes Exp(Lanes x) {
  const auto e = SplitExp<false>(Clamp(x, -87.0f, 88.0f));
  return Lanes::MulAdd(e.scale, e.rest, e.scale);
}

// e^x - 1, accurate near 0. REQUIRES: x <= 0, or NaN.
template <typename Lanes>
RONDO_LANES Lanes ExpMinusOne(Lanes x) {
  const auto e = SplitExp<false>(Lanes::Max(Lanes::Broadcast(-87.0f), x));
  return Lanes::MulAdd(e.scale, e.rest, Lanes::Sub(e.scale, Lanes::Broadcast(1.0f)));
}

// x where it is above 0, plus slope * below where it is not: `below` is a function of the smaller of x and 0.
template <typename Lanes>
RONDO_LANES Lanes Bent(Lanes x, float slope, Lanes below) {
  return Lanes::MulAdd(Lanes::Broadcast(slope), below, Lanes::Max(Lanes::Broadcast(0.0f), x));
}

template <typename Lanes>
RONDO_LANES Lanes Abs(Lanes x) {
  return Lanes::Max(Lanes::Sub(Lanes::Broadcast(0.0f), x), x);
}

// REQUIRES: RunsOnLanes(function).
template <typename Lanes>
RONDO_LANES Lanes ActivateLanes(const ActivationFunction& function, Lanes x) {
  const Lanes zero = Lanes::Broadcast(0.0f), one = Lanes::Broadcast(1.0f);
  switch (function.kind) {
    case FunctionKind::kRelu:
      return Lanes::Max(zero, x);
    case FunctionKind::kSigmoid:
      return Sigmoid(x);
    case FunctionKind::kHardSigmoid:
      return Clamp(Lanes::MulAdd(Lanes::Broadcast(function.alpha), x, Lanes::Broadcast(function.beta)), 0.0f, 1.0f);
    case FunctionKind::kTanh:
      return Tanh(x);
    case FunctionKind::kLeakyRelu:
      return Bent(x, function.alpha, Lanes::Min(zero, x));
    case FunctionKind::kElu:
      return Bent(x, function.alpha, ExpMinusOne(Lanes::Min(zero, x)));
    case FunctionKind::kSelu:
      return Lanes::Mul(Lanes::Broadcast(1.05070099f), Bent(x, 1.67326324f, ExpMinusOne(Lanes::Min(zero, x))));
    case FunctionKind::kSoftsign:
      return Lanes::Div(x, Lanes::Add(one, Abs(x)));
    case FunctionKind::kSwish:
      return Lanes::Div(x, SigmoidDivisor(x));
    case FunctionKind::kExp:
      return Exp(x);
    case FunctionKind::kSqrt:
      return Lanes::Sqrt(x);
    case FunctionKind::kSquare:
      return Lanes::Mul(x, x);
    case FunctionKind::kAbs:
      return Abs(x);
    case FunctionKind::kNegate:
      return Lanes::Sub(zero, x);
    case FunctionKind::kReciprocal:
      return Lanes::Div(one, x);
    case FunctionKind::kClip:
      return Clamp(x, function.alpha, function.beta);
    default:
      return x;
  }
}

}  // namespace
}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_ACTIVATIONS_H_
