#ifndef RONDO_MODEL_TRAIN_BACKPROP_H_
#define RONDO_MODEL_TRAIN_BACKPROP_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/train/loss.h"
#include "model/train/network_shape.h"
#include "model/train/training_kernel.h"

namespace rondo::train {

// Holds a window of timesteps of several series, side by side. Everything is standardised.
struct Batch {
  std::vector<float> features;  // [timesteps][batch_size][input_size]; empty for a token network
  std::vector<int32_t> tokens;  // [timesteps][batch_size]; token networks only, each below NetworkShape::tokens
  std::vector<float> targets;   // [timesteps][batch_size][targets of a timestep]
  std::vector<float> mask;      // [timesteps][batch_size]; 0: this timestep has no target
};

// Computes loss and gradient of a network over windows of one size, by truncated backpropagation through time.
//
// Ownership: owns the layers' buffers for timesteps x batch_size.
// Threads:   one, the thread that created it, after PrepareTrainingThread.
class Backprop {
 public:
  struct Options {
    int64_t timesteps = 0;
    int64_t batch_size = 0;
    Loss loss;
    double dropout = 0;  // probability that an output of a layer below the last is dropped; 0: none
  };

  // Makes the layers. INTERNAL: oneDNN refused. RESOURCE_EXHAUSTED: no memory.
  // REQUIRES: shape.head_size is a multiple of loss.values_per_target().
  static absl::StatusOr<std::unique_ptr<Backprop>> Create(const NetworkShape& shape, const Options& options);

  // Returns the mean loss of `batch` and writes its gradient to `gradient`. Dropout is drawn from `dropout_seed` alone.
  // `state` is [num_layers][h, then c for an lstm][batch_size][hidden_size]; it is read as the state before the window
  // and overwritten with the state after it.
  absl::StatusOr<double> LossAndGradient(const Batch& batch, absl::Span<const float> parameters, uint64_t dropout_seed,
                                         absl::Span<float> state, absl::Span<float> gradient);

  // Returns the mean loss alone, without dropout; predictions() then has what the head said.
  absl::StatusOr<double> LossOnly(const Batch& batch, absl::Span<const float> parameters, absl::Span<float> state);

  // Returns the head's numbers of the last call: [timesteps][batch_size][head_size].
  absl::Span<const float> predictions() const { return predictions_; }
  size_t state_size() const { return shape_.num_layers * shape_.layer_state_size() * options_.batch_size; }
  const ParameterLayout& layout() const { return layout_; }
  RecurrentLayer& layer(int64_t k) { return *layers_[k]; }

 private:
  Backprop(const NetworkShape& shape, const Options& options);

  absl::Status Forward(const Batch& batch, absl::Span<const float> parameters, double dropout, uint64_t dropout_seed,
                       absl::Span<float> state);
  absl::Status Backward(const Batch& batch, absl::Span<const float> parameters, absl::Span<float> gradient);
  void FeedInputs(const Batch& batch, absl::Span<const float> parameters);
  void FeedFromBelow(int64_t k, double dropout, uint64_t dropout_seed);
  void PredictFromTop(absl::Span<const float> parameters);
  void BackwardHead(absl::Span<const float> parameters, absl::Span<float> gradient);
  void ExchangeState(int64_t k, bool before, absl::Span<float> state);

  int64_t rows() const { return options_.timesteps * options_.batch_size; }

  const NetworkShape shape_;
  const Options options_;
  const ParameterLayout layout_;
  std::vector<std::unique_ptr<RecurrentLayer>> layers_;
  std::vector<std::vector<float>> dropout_masks_;  // of each layer above the first: 0, or 1 / (1 - dropout)
  std::vector<float> predictions_, prediction_gradient_;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_BACKPROP_H_
