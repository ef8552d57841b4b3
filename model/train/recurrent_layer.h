#ifndef RONDO_MODEL_TRAIN_RECURRENT_LAYER_H_
#define RONDO_MODEL_TRAIN_RECURRENT_LAYER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/model_spec.h"

namespace rondo::train {

// Runs one recurrent layer over a window of timesteps, forward and backward through time: an lstm on kernels of our own
// where they win (PackedLstm), another cell by oneDNN's training primitives. The formulas are those of model/README.md.
//
// Ownership: owns its buffers and prepared weights; the pointers it hands out live as long as it does.
// Threads:   one, the thread that created it; other threads work inside the calls only.
class RecurrentLayer {
 public:
  struct Shape {
    Cell cell = Cell::kLstm;
    GruReset gru_reset = GruReset::kAfter;
    GruUpdate gru_update = GruUpdate::kKeep;
    Activation activation = Activation::kTanh;
    int64_t timesteps = 0;
    int64_t batch_size = 0;
    int64_t input_size = 0;
    int64_t hidden_size = 0;
    bool input_gradient = true;  // false: nobody asks for it
  };
  template <typename T>
  struct Tensors {  // the layout of model/weights.h
    absl::Span<T> weight_ih, weight_hh, bias_ih, bias_hh;
  };

  // Makes a layer. INTERNAL: oneDNN refused. RESOURCE_EXHAUSTED: no memory.
  static absl::StatusOr<std::unique_ptr<RecurrentLayer>> Create(const Shape& shape);
  virtual ~RecurrentLayer() = default;

  // Brings the weights into the layouts that the kernels want.
  virtual absl::Status SetWeights(const Tensors<const float>& weights) = 0;
  // Computes output and state_out from input and state_in.
  virtual absl::Status Forward() = 0;
  // Computes input_gradient if it is wanted, and the weights' gradients for AddGradients, from the forward pass's
  // values and output_gradient. The state before the window counts as constant: truncated backpropagation through time.
  virtual absl::Status Backward() = 0;
  // Adds the weights' gradients of the Backward before it to `gradients`.
  virtual absl::Status AddGradients(const Tensors<float>& gradients) = 0;

  virtual float* input() = 0;               // [timesteps][batch_size][input_size], written by the caller
  virtual const float* output() const = 0;  // [timesteps][batch_size][hidden_size]
  virtual float* output_gradient() = 0;     // as output, written by the caller
  virtual float* input_gradient() = 0;      // as input
  // part 0 is h, part 1 (lstm only) is c: [batch_size][hidden_size]
  virtual float* state_in(int part) = 0;
  virtual const float* state_out(int part) const = 0;

  // Returns what computes it, for people: "ref:any" of oneDNN, "rondo/avx512".
  virtual const std::string& kernel_name() const = 0;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_RECURRENT_LAYER_H_
