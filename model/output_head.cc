#include "model/output_head.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "model/kernels/activation_function.h"

namespace rondo {

namespace {

// softplus(s), which for large s is s itself to the last bit.
double GaussianStd(double s) { return (s > 30 ? s : std::log1p(std::exp(s))) + OutputHead::kMinGaussianStd; }

}  // namespace

OutputHead::OutputHead(const ModelSpec& spec, const Weights& weights, InstructionSet instruction_set)
    : head_(spec.head),
      values_per_output_(spec.values_per_output()),
      output_size_(static_cast<size_t>(spec.output_size())),
      instruction_set_(instruction_set) {
  if (spec.graph == nullptr) dense_.emplace(weights.head_weight, weights.head_bias, instruction_set);
  std::unordered_map<std::string, size_t> input_index;
  for (const InputFeature& input : spec.inputs) input_index.emplace(input.name, input_index.size());
  for (const OutputFeature& output : spec.outputs) {
    const size_t added_to = output.added_to.empty() ? kNoInput : input_index.at(output.added_to);
    scales_.push_back({output.mean, output.std, added_to});
  }
}

void OutputHead::Apply(const float* const* inputs, const float* const* hidden, size_t num_rows, float* outputs) const {
  if (dense_) {
    dense_->Apply(hidden, num_rows, outputs);
  } else {
    for (size_t row = 0; row < num_rows; ++row) std::copy_n(hidden[row], output_size_, outputs + row * output_size_);
  }
  for (size_t row = 0; row < num_rows; ++row) {
    float* output = outputs + row * output_size();
    if (head_ == Head::kSoftmax) {
      ToProbabilities(output);
    } else if (head_ == Head::kSigmoid) {
      Activate({FunctionKind::kSigmoid}, instruction_set_, output, 1, output_size_, output);
    } else {
      ToRawUnits(inputs[row], output);
    }
  }
}

void OutputHead::ToRawUnits(const float* input, float* output) const {
  for (float* end = output + output_size(); output != end;) {
    for (const Scale& scale : scales_) {
      const double added = scale.added_to == kNoInput ? 0 : input[scale.added_to];
      float* const next = output + values_per_output_;
      if (head_ == Head::kGaussian) output[1] = static_cast<float>(GaussianStd(output[1]) * scale.std);
      const float* const located = head_ == Head::kGaussian ? output + 1 : next;
      for (float* value = output; value != located; ++value) {
        *value = static_cast<float>(*value * scale.std + scale.mean + added);
      }
      // Trained one by one, quantiles may cross; sorted, none is further from the truth (Chernozhukov et al. 2010).
      if (head_ == Head::kQuantile) std::sort(output, next);
      output = next;
    }
  }
}

// The largest logit is subtracted first, so that no exponential overflows and at least one is 1.
void OutputHead::ToProbabilities(float* output) const {
  for (float* end = output + output_size(); output != end; output += scales_.size()) {
    const float largest = *std::max_element(output, output + scales_.size());
    double sum = 0;
    for (size_t i = 0; i < scales_.size(); ++i) {
      output[i] = std::exp(output[i] - largest);
      sum += output[i];
    }
    for (size_t i = 0; i < scales_.size(); ++i) output[i] = static_cast<float>(output[i] / sum);
  }
}

}  // namespace rondo
