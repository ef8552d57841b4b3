#ifndef RONDO_MODEL_KERNELS_PACKED_PRODUCT_H_
#define RONDO_MODEL_KERNELS_PACKED_PRODUCT_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "model/kernels/activation_function.h"
#include "model/kernels/instruction_set.h"
#include "model/kernels/packed_columns.h"

namespace rondo {

// Rows of floats, each so many floats after the one before.
struct RowsView {
  const float* first = nullptr;
  size_t stride = 0;
};

// Computes y = f(W [x, h] + b) for rows of x, and of h where the product has one. Every sum is one chain of fused
// multiply-adds that begins with the bias and goes through x, then h, in order: neither the rows that are computed
// together nor the instruction set change a result by a bit. Immutable; any thread.
class PackedProduct {
 public:
  // weight: [outputs][inputs], hidden_weight: [outputs][hiddens] or empty; bias: [outputs], or empty for zeros. Throws
  // std::bad_alloc.
  PackedProduct(absl::Span<const float> weight, absl::Span<const float> hidden_weight, absl::Span<const float> bias,
                size_t outputs, InstructionSet instruction_set, WeightFormat format = WeightFormat::kF32);

  // y: rows of outputs() floats, `y_stride` apart; no part of x or h. h is not read if the product has none.
  void Apply(RowsView x, RowsView h, size_t num_rows, const ActivationFunction& function, float* y,
             size_t y_stride) const;

  size_t outputs() const { return outputs_; }

 private:
  const InstructionSet instruction_set_;
  const size_t outputs_;
  PackedColumns columns_;
};

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_PACKED_PRODUCT_H_
