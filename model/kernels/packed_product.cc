#include "model/kernels/packed_product.h"

#include "model/kernels/step_functions.h"

namespace rondo {

PackedProduct::PackedProduct(absl::Span<const float> weight, absl::Span<const float> hidden_weight,
                             absl::Span<const float> bias, size_t outputs, InstructionSet instruction_set,
                             WeightFormat format)
    : instruction_set_(instruction_set), outputs_(outputs) {
  const size_t inputs = weight.size() / outputs, hiddens = hidden_weight.size() / outputs;
  columns_ = MakeColumns(format, (outputs + kLanes - 1) / kLanes, 1, inputs, hiddens);
  for (size_t output = 0; output < outputs; ++output) {
    const Column column{weight.subspan(output * inputs, inputs), hidden_weight.subspan(output * hiddens, hiddens),
                        bias.empty() ? 0.0f : bias[output]};
    PutColumn(column, output / kLanes, output % kLanes, &columns_);
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
