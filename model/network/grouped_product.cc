#include "model/network/grouped_product.h"

namespace rondo {

GroupedProduct::GroupedProduct(const ConvolutionShape& shape, const std::vector<float>& weight,
                               absl::Span<const float> bias, InstructionSet instruction_set)
    : shape_(shape) {
  const size_t width = shape.inputs / shape.groups, outputs = shape.outputs / shape.groups;
  for (size_t group = 0; group < shape.groups; ++group) {
    std::vector<float> turned(outputs * width * shape.kernel);
    for (size_t o = 0; o < outputs; ++o) {
      for (size_t i = 0; i < width; ++i) {
        for (size_t k = 0; k < shape.kernel; ++k) {
          turned[(o * shape.kernel + k) * width + i] = weight[((group * outputs + o) * width + i) * shape.kernel + k];
        }
      }
    }
    products_.emplace_back(turned, absl::Span<const float>(),
                           bias.empty() ? bias : bias.subspan(group * outputs, outputs), outputs, instruction_set);
  }
}

void GroupedProduct::Apply(const float* rows, size_t num_rows, const ActivationFunction& function, float* y) const {
  for (const PackedProduct& product : products_) {
    product.Apply({rows, shape_.row_size()}, {}, num_rows, function, y, shape_.outputs);
    rows += shape_.row_size() / shape_.groups;
    y += product.outputs();
  }
}

}  // namespace rondo
