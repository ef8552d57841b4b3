#ifndef RONDO_MODEL_KERNELS_ACTIVATION_FUNCTION_H_
#define RONDO_MODEL_KERNELS_ACTIVATION_FUNCTION_H_

#include <cstddef>

#include "model/kernels/instruction_set.h"

namespace rondo {

// A function of one number; softmax and log_softmax are functions of a whole vector.
enum class FunctionKind {
  kLinear,
  kRelu,
  kSigmoid,
  kHardSigmoid,  // alpha * x + beta, between 0 and 1
  kTanh,
  kLeakyRelu,  // x, or alpha * x below 0
  kElu,        // x, or alpha * (e^x - 1) below 0
  kSelu,       // 1.0507 * elu(x) with alpha 1.6733 (Klambauer et al. 2017)
  kSoftsign,   // x / (1 + |x|)
  kSwish,      // x * sigmoid(x)
  kExp,        // e^x for x up to 88, e^88 beyond
  kSqrt,
  kSquare,
  kAbs,
  kNegate,
  kReciprocal,
  kClip,      // x between alpha and beta
  kLog,       // log(x + alpha)
  kSoftplus,  // log(1 + e^x)
  kGelu,      // x / 2 * (1 + erf(x / sqrt(2)))
  kSoftmax,
  kLogSoftmax,
};

struct ActivationFunction {
  FunctionKind kind = FunctionKind::kLinear;
  float alpha = 0;
  float beta = 0;
};

// True for those up to kClip: they run on lanes, and a product may end with them.
inline bool RunsOnLanes(const ActivationFunction& function) { return function.kind <= FunctionKind::kClip; }

// y[i] = f(x[i]) for each of `num_rows` rows of `size` floats; y may be x. No result depends on the other rows, the
// instruction set or the C library, bit for bit.
void Activate(const ActivationFunction& function, InstructionSet instruction_set, const float* x, size_t num_rows,
              size_t size, float* y);

// The same functions in float64, from the C library: what Activate is judged by. y may be x.
void ReferenceActivate(const ActivationFunction& function, const double* x, size_t size, double* y);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_ACTIVATION_FUNCTION_H_
