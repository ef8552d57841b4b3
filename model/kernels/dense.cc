#include "model/kernels/dense.h"

#include <algorithm>
#include <cstring>

namespace rondo {
namespace {

// Sixteen partial sums, whatever the machine's vectors are: lane l adds the products k = l, l + 16, l + 32, ...
constexpr size_t kLanes = 16;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

struct Problem {
  const float* const* rows;
  size_t num_rows;
  size_t inputs;
  const float* weight;  // [outputs][stride]
  size_t stride;
  const float* bias;
  size_t outputs;
  float* y;  // [num_rows][outputs]
};

#define RONDO_ALWAYS_INLINE inline __attribute__((always_inline))

RONDO_ALWAYS_INLINE void Load(const float* from, Lanes& to) { std::memcpy(&to, from, sizeof(Lanes)); }

// Folds the upper half onto the lower one until one is left, so that no machine sums in another order.
RONDO_ALWAYS_INLINE float SumOfLanes(const Lanes& lanes) {
  typedef float Eight __attribute__((vector_size(8 * sizeof(float))));
  typedef float Four __attribute__((vector_size(4 * sizeof(float))));
  Eight eights[2];
  std::memcpy(eights, &lanes, sizeof(lanes));
  eights[0] += eights[1];
  Four fours[2];
  std::memcpy(fours, &eights[0], sizeof(fours));
  fours[0] += fours[1];
  return (fours[0][0] + fours[0][2]) + (fours[0][1] + fours[0][3]);
}

// kRows x kOutputs results at once, so that each load serves several products.
template <size_t kRows, size_t kOutputs>
RONDO_ALWAYS_INLINE void Tile(const Problem& p, size_t row, size_t output) {
  Lanes sums[kRows][kOutputs] = {};
  const float* weight = p.weight + output * p.stride;
  Lanes w[kOutputs], x;
  size_t k = 0;
  for (; k + kLanes <= p.inputs; k += kLanes) {
    for (size_t o = 0; o < kOutputs; ++o) Load(weight + o * p.stride + k, w[o]);
    for (size_t r = 0; r < kRows; ++r) {
      Load(p.rows[row + r] + k, x);
      for (size_t o = 0; o < kOutputs; ++o) sums[r][o] += w[o] * x;
    }
  }
  if (k < p.inputs) {
    for (size_t o = 0; o < kOutputs; ++o) Load(weight + o * p.stride + k, w[o]);
    for (size_t r = 0; r < kRows; ++r) {
      float tail[kLanes] = {};
      std::memcpy(tail, p.rows[row + r] + k, (p.inputs - k) * sizeof(float));
      Load(tail, x);
      for (size_t o = 0; o < kOutputs; ++o) sums[r][o] += w[o] * x;
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t o = 0; o < kOutputs; ++o) {
      p.y[(row + r) * p.outputs + output + o] = SumOfLanes(sums[r][o]) + p.bias[output + o];
    }
  }
}

template <size_t kRows, size_t kOutputs>
RONDO_ALWAYS_INLINE void TileOutputs(const Problem& p, size_t output) {
  size_t row = 0;
  for (; row + kRows <= p.num_rows; row += kRows) Tile<kRows, kOutputs>(p, row, output);
  for (; row < p.num_rows; ++row) Tile<1, kOutputs>(p, row, output);
}

// Outputs outside: a block of weights is read from memory once and serves all rows from the cache.
template <size_t kRows, size_t kOutputs>
RONDO_ALWAYS_INLINE void Run(const Problem& p) {
  size_t output = 0;
  for (; output + kOutputs <= p.outputs; output += kOutputs) TileOutputs<kRows, kOutputs>(p, output);
  for (; output < p.outputs; ++output) TileOutputs<kRows, 1>(p, output);
}

// Tiles as large as the registers hold: 32 of 16 floats, 16 of 8, 16 of 4.
#if defined(__x86_64__)
__attribute__((target("avx512f"))) void RunAvx512(const Problem& p) { Run<4, 4>(p); }
__attribute__((target("avx2,fma"))) void RunAvx2(const Problem& p) { Run<2, 2>(p); }
#endif
void RunBaseline(const Problem& p) { Run<1, 2>(p); }

using RunFunction = void (*)(const Problem&);

RunFunction FastestRun() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return RunAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return RunAvx2;
#endif
  return RunBaseline;
}

}  // namespace

Dense::Dense(const std::vector<float>& weight, const std::vector<float>& bias)
    : outputs_(bias.size()),
      inputs_(weight.size() / bias.size()),
      stride_((inputs_ + kLanes - 1) / kLanes * kLanes),
      weight_(outputs_ * stride_),
      bias_(bias) {
  for (size_t o = 0; o < outputs_; ++o) {
    std::copy_n(&weight[o * inputs_], inputs_, weight_.get() + o * stride_);
  }
}

void Dense::Apply(const float* const* rows, size_t num_rows, float* y) const {
  static const RunFunction run = FastestRun();
  run({rows, num_rows, inputs_, weight_.get(), stride_, bias_.data(), outputs_, y});
}

}  // namespace rondo
