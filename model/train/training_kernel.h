#ifndef RONDO_MODEL_TRAIN_TRAINING_KERNEL_H_
#define RONDO_MODEL_TRAIN_TRAINING_KERNEL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/model_spec.h"

namespace rondo::train {

// Returns the version of the library in use, as "2.6.3".
std::string OneDnnVersion();

// Sets how many threads oneDNN uses for layers created and run on this thread, and flushes denormals to zero here and
// in those threads. Call it before the process first computes. 0: one for each CPU that the process may use.
void PrepareTrainingThread(int threads);

// Computes c[m][n] = alpha * op(a) * op(b) + beta * c, all row-major; op(a) is [m][k], op(b) is [k][n].
void MultiplyMatrices(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a,
                      const float* b, float beta, float* c);

// Runs one recurrent layer over a window of timesteps, forward and backward through time, by oneDNN's training
// primitives.
// The formulas are those of model/README.md; gate orders and signs are translated from the model file's convention.
//
// Ownership: owns its buffers and prepared weights; the pointers it hands out live as long as it does.
// Threads:   one, the thread that created it; oneDNN's own threads work inside the calls.
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
  };
  template <typename T>
  struct Tensors {  // the layout of model/weights.h
    absl::Span<T> weight_ih, weight_hh, bias_ih, bias_hh;
  };

  // Makes a layer. INTERNAL: oneDNN refused. RESOURCE_EXHAUSTED: no memory.
  static absl::StatusOr<std::unique_ptr<RecurrentLayer>> Create(const Shape& shape);
  ~RecurrentLayer();

  // Brings the weights into the layouts that the primitives want.
  absl::Status SetWeights(const Tensors<const float>& weights);
  // Computes output and state_out from input and state_in.
  absl::Status Forward();
  // Computes input_gradient, and the weights' gradients for AddGradients, from the forward pass's values and
  // output_gradient. The state before the window counts as constant: truncated backpropagation through time.
  absl::Status Backward();
  // Adds the weights' gradients of the Backward before it to `gradients`.
  absl::Status AddGradients(const Tensors<float>& gradients);

  float* input();               // [timesteps][batch_size][input_size], written by the caller
  const float* output() const;  // [timesteps][batch_size][hidden_size]
  float* output_gradient();     // as output, written by the caller
  float* input_gradient();      // as input
  // part 0 is h, part 1 (lstm only) is c: [batch_size][hidden_size]
  float* state_in(int part);
  const float* state_out(int part) const;

  // Returns what oneDNN chose, for people: "ref:any".
  const std::string& kernel_name() const;

 private:
  class Impl;
  explicit RecurrentLayer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_TRAINING_KERNEL_H_
