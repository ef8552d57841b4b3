#ifndef RONDO_MODEL_NETWORK_GROUPED_PRODUCT_H_
#define RONDO_MODEL_NETWORK_GROUPED_PRODUCT_H_

#include <cstddef>
#include <vector>

#include "model/kernels/packed_product.h"

namespace rondo {

// The size of a convolution and how its weights lie in a file: [outputs][inputs / groups][kernel].
struct ConvolutionShape {
  size_t outputs = 1;
  size_t inputs = 1;
  size_t kernel = 1;
  size_t groups = 1;

  size_t row_size() const { return inputs * kernel; }
};

// The matrix product of a convolution. A row holds what one answer depends on: [groups][kernel][inputs / groups].
class GroupedProduct {
 public:
  // bias: [outputs], or empty.
  GroupedProduct(const ConvolutionShape& shape, const std::vector<float>& weight, absl::Span<const float> bias,
                 InstructionSet instruction_set);

  // rows: [num_rows][row_size]; y: [num_rows][outputs].
  void Apply(const float* rows, size_t num_rows, const ActivationFunction& function, float* y) const;

 private:
  const ConvolutionShape shape_;
  std::vector<PackedProduct> products_;  // one a group
};

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_GROUPED_PRODUCT_H_
