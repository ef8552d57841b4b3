#ifndef RONDO_MODEL_TRAIN_PACKED_LSTM_H_
#define RONDO_MODEL_TRAIN_PACKED_LSTM_H_

#include <memory>
#include <string>
#include <vector>

#include "model/kernels/aligned_buffer.h"
#include "model/kernels/instruction_set.h"
#include "model/kernels/packed_product.h"
#include "model/kernels/training_functions.h"
#include "model/train/recurrent_layer.h"

namespace rondo::train {

// An lstm on the kernels that serve: with AVX-512 1.4 to 2 times as fast as oneDNN (rondo-train --benchmark). Threads
// divide the series of a window, and the gates whose weights' gradients they sum, so their number changes no bit.
class PackedLstm : public RecurrentLayer {
 public:
  // Throws std::bad_alloc.
  PackedLstm(const Shape& shape, InstructionSet instruction_set);

  absl::Status SetWeights(const Tensors<const float>& weights) override;
  absl::Status Forward() override;
  absl::Status Backward() override;
  absl::Status AddGradients(const Tensors<float>& gradients) override;

  float* input() override { return x_.get(); }
  const float* output() const override { return h_.get() + State(1); }
  float* output_gradient() override { return dh_.get(); }
  float* input_gradient() override { return dx_.get(); }
  float* state_in(int part) override { return part == 0 ? h_.get() : c_.get(); }
  const float* state_out(int part) const override { return (part == 0 ? h_ : c_).get() + State(shape_.timesteps); }
  const std::string& kernel_name() const override { return kernel_name_; }

 private:
  // Floats of the states of so many timesteps.
  size_t State(int64_t timesteps) const {
    return static_cast<size_t>(timesteps * shape_.batch_size * shape_.hidden_size);
  }
  size_t parts() const;
  void ForwardRows(size_t first, size_t rows);
  void BackwardRows(size_t first, size_t rows);
  LstmTimestep TimestepOf(size_t timestep, size_t first, size_t rows);

  const Shape shape_;
  const InstructionSet instruction_set_;
  const std::string kernel_name_;
  std::unique_ptr<PackedProduct> forward_, to_hidden_, to_input_;
  // h_ and c_ begin with the state before the window: [1 + timesteps][batch_size][hidden_size].
  AlignedBuffer x_, h_, c_, tanh_c_;
  AlignedBuffer gates_;  // [timesteps][batch_size][4][hidden_size]; after Backward the gradient of their sums
  AlignedBuffer dx_, dh_;
  AlignedBuffer dh_next_, dc_;   // [batch_size][hidden_size]
  AlignedBuffer bias_gradient_;  // [4 * hidden_size]
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_PACKED_LSTM_H_
