#ifndef RONDO_MODEL_KERNELS_DENSE_H_
#define RONDO_MODEL_KERNELS_DENSE_H_

#include <cstddef>
#include <vector>

#include "model/kernels/aligned_buffer.h"
#include "model/kernels/instruction_set.h"

namespace rondo {

// Computes y = W x + b for a few rows at a time. Every sum has one fixed order, so that neither the rows that are
// computed together nor the instruction set change a result by a bit. Immutable; any thread.
class Dense {
 public:
  // weight: [outputs][inputs], row-major; bias: [outputs].
  Dense(const std::vector<float>& weight, const std::vector<float>& bias, InstructionSet instruction_set);

  // rows[i]: [inputs]. y: [num_rows][outputs], no part of a row.
  void Apply(const float* const* rows, size_t num_rows, float* y) const;

  size_t inputs() const { return inputs_; }
  size_t outputs() const { return outputs_; }

 private:
  const InstructionSet instruction_set_;
  const size_t outputs_;
  const size_t inputs_;
  const size_t stride_;   // inputs rounded up to whole vectors
  AlignedBuffer weight_;  // [outputs][stride], zero past inputs
  std::vector<float> bias_;
};

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_DENSE_H_
