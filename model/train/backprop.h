#ifndef RONDO_MODEL_TRAIN_BACKPROP_H_
#define RONDO_MODEL_TRAIN_BACKPROP_H_

#include <cstddef>
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
  // [batch_size], bidirectional networks only: how many timesteps each series has. Those behind are padding, which
  // neither answers nor gradients depend on.
  std::vector<int64_t> lengths;
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

  // Returns about how many bytes the buffers take: nearly all that a Backprop holds.
  static size_t BufferBytes(const NetworkShape& shape, const Options& options);

  // Makes the layers. INTERNAL: oneDNN refused. RESOURCE_EXHAUSTED: no memory.
  // REQUIRES: shape.head_size is a multiple of loss.values_per_target().
  static absl::StatusOr<std::unique_ptr<Backprop>> Create(const NetworkShape& shape, const Options& options);

  // Returns the mean loss of `batch` and writes its gradient to `gradient`. Dropout is drawn from `dropout_seed` alone.
  // `state` is [layers of the layout][h, then c for an lstm][batch_size][hidden_size]; it is read as the state before
  // the window and overwritten with the state after it. A bidirectional network is given zeros.
  absl::StatusOr<double> LossAndGradient(const Batch& batch, absl::Span<const float> parameters, uint64_t dropout_seed,
                                         absl::Span<float> state, absl::Span<float> gradient);

  // Returns the mean loss alone, without dropout; predictions() then has what the head said.
  absl::StatusOr<double> LossOnly(const Batch& batch, absl::Span<const float> parameters, absl::Span<float> state);

  // Returns the head's numbers of the last call: [timesteps][batch_size][head_size].
  absl::Span<const float> predictions() const { return predictions_; }
  size_t state_size() const { return layers_.size() * shape_.layer_state_size() * options_.batch_size; }
  const ParameterLayout& layout() const { return layout_; }
  RecurrentLayer& layer(int64_t k) { return *layers_[k]; }  // of layout().layers()

 private:
  // A row of a batch for each row of a layer's answer. Each order is its own inverse.
  enum class Order {
    kOfTime,      // timestep t of the batch
    kFromTheEnd,  // the t-th timestep of each series, counted from its own end; padding stays where it is
  };

  Backprop(const NetworkShape& shape, const Options& options);

  absl::Status Forward(const Batch& batch, absl::Span<const float> parameters, double dropout, uint64_t dropout_seed,
                       absl::Span<float> state);
  absl::Status Backward(const Batch& batch, absl::Span<const float> parameters, absl::Span<float> gradient);
  absl::Status RunLayer(int64_t k, absl::Span<const float> parameters, absl::Span<float> state);
  void FindRowsFromTheEnd(absl::Span<const int64_t> lengths);
  void FeedInputs(const Batch& batch, absl::Span<const float> parameters);
  void FeedFromBelow(int64_t k, double dropout, uint64_t dropout_seed);
  // Gives the backward layer what the forward one of layer k reads, each series from its end.
  void FeedBackward(int64_t k);
  // Copies what layer k answers, its directions side by side, to [rows][layer_width]; and a gradient of that back.
  void CopyAnswers(int64_t k, Order of_backward, float* to) const;
  void CopyGradients(int64_t k, Order of_backward, const float* from);
  // The gradient of what layer k reads, in the order of time.
  float* InputGradient(int64_t k);
  void PredictFromTop(absl::Span<const float> parameters);
  void BackwardHead(absl::Span<const float> parameters, absl::Span<float> gradient);
  void AddEmbeddingGradient(const Batch& batch, absl::Span<float> gradient);
  void ExchangeState(int64_t k, bool before, absl::Span<float> state);

  int64_t rows() const { return options_.timesteps * options_.batch_size; }
  // The layer of one direction: 0 forward, 1 backward.
  RecurrentLayer& At(int64_t k, int64_t direction) const { return *layers_[k * shape_.directions() + direction]; }
  Order TopOrder() const { return shape_.head_of_ends ? Order::kOfTime : Order::kFromTheEnd; }

  const NetworkShape shape_;
  const Options options_;
  const ParameterLayout layout_;
  std::vector<std::unique_ptr<RecurrentLayer>> layers_;  // as those of the layout
  std::vector<int64_t> from_the_end_;                    // bidirectional only: the rows of kFromTheEnd
  std::vector<float> top_, top_gradient_;                // bidirectional only: what the head sees, and its gradient
  std::vector<std::vector<float>> dropout_masks_;        // of each layer above the first: 0, or 1 / (1 - dropout)
  std::vector<float> predictions_, prediction_gradient_;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_BACKPROP_H_
