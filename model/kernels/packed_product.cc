#include "model/kernels/packed_product.h"

#include "model/kernels/step_functions.h"

namespace rondo {

PackedProduct::PackedProduct(absl::Span<const float> weight, absl::Span<const float> hidden_weight,
                             absl::Span<const float> bias, size_t outputs, InstructionSet instruction_set)
    : instruction_set_(instruction_set), outputs_(outputs) {
  columns_.gates = 1;
  columns_.inputs = weight.size() / outputs;
  columns_.hiddens = hidden_weight.size() / outputs;
  const size_t panels = (outputs + kLanes - 1) / kLanes;
  columns_.weights = AlignedBuffer(panels * columns_.panel_size());
  columns_.bias = AlignedBuffer(panels * kLanes);
  for (size_t output = 0; output < outputs; ++output) {
    float* to = columns_.weights.get() + output / kLanes * columns_.panel_size() + output % kLanes;
    const auto put = [&](absl::Span<const float> from, size_t size) {
      for (size_t k = 0; k < size; ++k, to += kLanes) *to = from[output * size + k];
    };
    put(weight, columns_.inputs);
    put(hidden_weight, columns_.hiddens);
    if (!bias.empty()) columns_.bias.get()[output] = bias[output];
  }
}

void PackedProduct::Apply(RowsView x, RowsView h, size_t num_rows, const ActivationFunction& function, float* y,
                          size_t y_stride) const {
  const bool on_lanes = RunsOnLanes(function);
  const float* const hidden = columns_.hiddens == 0 ? nullptr : h.first;
  StepFunctionsFor(instruction_set_)
      .product({&columns_, outputs_, num_rows, x.first, x.stride, hidden, h.stride, y, y_stride,
                on_lanes ? function : ActivationFunction()});
  if (on_lanes) return;
  for (size_t row = 0; row < num_rows; ++row, y += y_stride) {
    Activate(function, instruction_set_, y, 1, outputs_, y);
  }
}

}  // namespace rondo
