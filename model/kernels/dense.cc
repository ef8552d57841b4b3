#include "model/kernels/dense.h"

#include <algorithm>

#include "model/kernels/packed_layer.h"
#include "model/kernels/step_functions.h"

namespace rondo {

Dense::Dense(const std::vector<float>& weight, const std::vector<float>& bias, InstructionSet instruction_set)
    : instruction_set_(instruction_set),
      outputs_(bias.size()),
      inputs_(weight.size() / bias.size()),
      stride_((inputs_ + kLanes - 1) / kLanes * kLanes),
      weight_(outputs_ * stride_),
      bias_(bias) {
  for (size_t o = 0; o < outputs_; ++o) {
    std::copy_n(&weight[o * inputs_], inputs_, weight_.get() + o * stride_);
  }
}

void Dense::Apply(const float* const* rows, size_t num_rows, float* y) const {
  StepFunctionsFor(instruction_set_)
      .dense({rows, num_rows, inputs_, weight_.get(), stride_, bias_.data(), outputs_, y});
}

}  // namespace rondo
