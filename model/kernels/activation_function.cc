#include "model/kernels/activation_function.h"

#include <algorithm>
#include <cmath>

#include "model/kernels/step_functions.h"

namespace rondo {
namespace {

constexpr double kLn2 = 0.6931471805599453;
constexpr double kSeluAlpha = 1.6732632423543772, kSeluScale = 1.0507009873554805;

// The functions that no lanes run are made of sums, products and divisions in float64: those round alike everywhere,
// which the C library's exp, log and erf do not.

// e^x by a Taylor series around the nearest power of two.
double Exponential(double x) {
  if (!(x > -700)) return std::isnan(x) ? x : 0;
  if (x > 700) return HUGE_VAL;
  const double n = std::nearbyint(x / kLn2);
  const double r = x - n * kLn2;
  double sum = 1;
  for (int k = 13; k > 0; --k) sum = 1 + sum * r / k;
  return std::ldexp(sum, static_cast<int>(n));
}

// 2 * atanh(s) = log((1 + s) / (1 - s)), with the mantissa between sqrt(1/2) and sqrt(2): |s| <= 0.172.
double Logarithm(double x) {
  if (!(x > 0) || std::isinf(x)) return x == 0 ? -HUGE_VAL : x > 0 ? x : std::nan("");
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.7071067811865476) mantissa *= 2, --exponent;
  const double s = (mantissa - 1) / (mantissa + 1), square = s * s;
  double sum = 0;
  for (int k = 21; k > 0; k -= 2) sum = sum * square + 1.0 / k;
  return exponent * kLn2 + 2 * s * sum;
}

// The Taylor series, within 1e-8; beyond 4 erf is 1 to float's last bit.
double Erf(double x) {
  if (std::abs(x) > 4) return x > 0 ? 1 : -1;
  double term = x, sum = x;
  for (int n = 1; n < 70; ++n) {
    term *= -x * x / n;
    sum += term / (2 * n + 1);
  }
  return 1.1283791670955126 * sum;
}

double Scalar(const ActivationFunction& function, double x) {
  switch (function.kind) {
    case FunctionKind::kLog:
      return Logarithm(x + static_cast<double>(function.alpha));
    case FunctionKind::kSoftplus:
      return x > 40 ? x : Logarithm(1 + Exponential(x));
    default:
      return x / 2 * (1 + Erf(x * 0.7071067811865476));
  }
}

// The largest value is subtracted first, so that no exponential overflows and at least one is 1.
void Softmax(InstructionSet instruction_set, const float* x, size_t size, float* y) {
  const float largest = *std::max_element(x, x + size);
  for (size_t i = 0; i < size; ++i) y[i] = x[i] - largest;
  StepFunctionsFor(instruction_set).activate({FunctionKind::kExp}, y, size, y);
  constexpr float kLeast = 1.65e-38f;  // lanes give e^-87 for all below -87; beside 1 that is nothing
  double sum = 0;
  for (size_t i = 0; i < size; ++i) {
    if (y[i] < kLeast) y[i] = 0;
    sum += y[i];
  }
  for (size_t i = 0; i < size; ++i) y[i] = static_cast<float>(y[i] / sum);
}

void LogSoftmax(const float* x, size_t size, float* y) {
  const double largest = *std::max_element(x, x + size);
  double sum = 0;
  for (size_t i = 0; i < size; ++i) sum += Exponential(x[i] - largest);
  const double shift = largest + Logarithm(sum);
  for (size_t i = 0; i < size; ++i) y[i] = static_cast<float>(x[i] - shift);
}

double ReferenceScalar(const ActivationFunction& function, double x) {
  const double alpha = function.alpha, beta = function.beta;
  switch (function.kind) {
    case FunctionKind::kRelu:
      return std::max(0.0, x);
    case FunctionKind::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case FunctionKind::kHardSigmoid:
      return std::clamp(alpha * x + beta, 0.0, 1.0);
    case FunctionKind::kTanh:
      return std::tanh(x);
    case FunctionKind::kLeakyRelu:
      return x < 0 ? alpha * x : x;
    case FunctionKind::kElu:
      return x < 0 ? alpha * std::expm1(x) : x;
    case FunctionKind::kSelu:
      return kSeluScale * (x < 0 ? kSeluAlpha * std::expm1(x) : x);
    case FunctionKind::kSoftsign:
      return x / (1 + std::abs(x));
    case FunctionKind::kSwish:
      return x / (1 + std::exp(-x));
    case FunctionKind::kExp:
      return std::exp(x);
    case FunctionKind::kSqrt:
      return std::sqrt(x);
    case FunctionKind::kSquare:
      return x * x;
    case FunctionKind::kAbs:
      return std::abs(x);
    case FunctionKind::kNegate:
      return -x;
    case FunctionKind::kReciprocal:
      return 1 / x;
    case FunctionKind::kClip:
      return std::min(beta, std::max(alpha, x));
    case FunctionKind::kLog:
      return std::log(x + alpha);
    case FunctionKind::kSoftplus:
      return x > 40 ? x : std::log1p(std::exp(x));
    case FunctionKind::kGelu:
      return x / 2 * (1 + std::erf(x * std::sqrt(0.5)));
    default:
      return x;
  }
}

bool IsSoftmax(const ActivationFunction& function) { return function.kind >= FunctionKind::kSoftmax; }

}  // namespace

void Activate(const ActivationFunction& function, InstructionSet instruction_set, const float* x, size_t num_rows,
              size_t size, float* y) {
  const size_t floats = num_rows * size;
  if (RunsOnLanes(function)) return StepFunctionsFor(instruction_set).activate(function, x, floats, y);
  if (!IsSoftmax(function)) {
    for (size_t i = 0; i < floats; ++i) y[i] = static_cast<float>(Scalar(function, x[i]));
    return;
  }
  for (size_t row = 0; row < num_rows; ++row) {
    const float* const from = x + row * size;
    if (function.kind == FunctionKind::kSoftmax) {
      Softmax(instruction_set, from, size, y + row * size);
    } else {
      LogSoftmax(from, size, y + row * size);
    }
  }
}

void ReferenceActivate(const ActivationFunction& function, const double* x, size_t size, double* y) {
  if (!IsSoftmax(function)) {
    for (size_t i = 0; i < size; ++i) y[i] = ReferenceScalar(function, x[i]);
    return;
  }
  const double largest = *std::max_element(x, x + size);
  double sum = 0;
  for (size_t i = 0; i < size; ++i) sum += std::exp(x[i] - largest);
  for (size_t i = 0; i < size; ++i) {
    const double shifted = x[i] - largest;
    y[i] = function.kind == FunctionKind::kLogSoftmax ? shifted - std::log(sum) : std::exp(shifted) / sum;
  }
}

}  // namespace rondo
