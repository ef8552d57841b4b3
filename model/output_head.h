#ifndef RONDO_MODEL_OUTPUT_HEAD_H_
#define RONDO_MODEL_OUTPUT_HEAD_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "model/kernels/dense.h"
#include "model/kernels/instruction_set.h"
#include "model/model_spec.h"
#include "model/weights.h"

namespace rondo {

// Turns the last layer's h, or what a graph answers, into what a client sees: a linear layer (a graph has its own),
// then raw units (y * std + mean, plus the input that an output is added to), or the probabilities of a softmax over
// each horizon step's outputs. A gaussian head's second number s becomes the standard deviation (softplus(s) +
// kMinGaussianStd) * std (DeepAR, Salinas et al. 2017); the quantiles of a quantile head come in ascending order.
// Immutable; any thread.
class OutputHead {
 public:
  // This least deviation, in units of the output's own std, keeps the likelihood of training bounded.
  static constexpr double kMinGaussianStd = 1e-3;

  OutputHead(const ModelSpec& spec, const Weights& weights, InstructionSet instruction_set);

  // inputs[i]: [input_size], what the client sent for row i, raw units; hidden[i]: [hidden_size], or the graph's
  // answer. outputs: [num_rows][output_size]. A row's result does not depend on the other rows, bit for bit.
  void Apply(const float* const* inputs, const float* const* hidden, size_t num_rows, float* outputs) const;

  size_t output_size() const { return output_size_; }

 private:
  static constexpr size_t kNoInput = static_cast<size_t>(-1);

  struct Scale {
    double mean;
    double std;
    size_t added_to;  // index of an input, or kNoInput
  };

  void ToRawUnits(const float* input, float* output) const;

  const Head head_;
  const size_t values_per_output_;
  const size_t output_size_;
  const InstructionSet instruction_set_;
  std::optional<Dense> dense_;  // a plain stack's
  std::vector<Scale> scales_;   // one an output of a horizon step
};

}  // namespace rondo

#endif  // RONDO_MODEL_OUTPUT_HEAD_H_
