#include "model/output_head.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "model/kernels/activation_function.h"

namespace rondo {

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
      Activate({FunctionKind::kSoftmax}, instruction_set_, output, output_size_ / scales_.size(), scales_.size(),
               output);
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
      if (head_ == Head::kGaussian) {
        Activate({FunctionKind::kSoftplus}, instruction_set_, output + 1, 1, 1, output + 1);
        output[1] = static_cast<float>((output[1] + kMinGaussianStd) * scale.std);
      }
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

}  // namespace rondo
