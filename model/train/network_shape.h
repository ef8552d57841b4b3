#ifndef RONDO_MODEL_TRAIN_NETWORK_SHAPE_H_
#define RONDO_MODEL_TRAIN_NETWORK_SHAPE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "model/model_spec.h"
#include "model/weights.h"

namespace rondo::train {

// Holds what the gradient needs to know of a network: sizes and cell, not what its numbers mean.
struct NetworkShape {
  Cell cell = Cell::kLstm;
  GruReset gru_reset = GruReset::kAfter;
  GruUpdate gru_update = GruUpdate::kKeep;
  Activation activation = Activation::kTanh;
  int64_t num_layers = 1;
  int64_t hidden_size = 0;
  int64_t input_size = 0;      // floats a timestep that the first layer sees
  int64_t tokens = 0;          // > 0: the input is a token id, looked up in an embedding of input_size columns
  int64_t head_size = 0;       // rows of the head
  bool bidirectional = false;  // each layer is two of hidden_size, one of which reads each sequence from its end
  // Bidirectional only: in a sequence's last timestep the head sees what each direction of the last layer ends with,
  // which is that of the backward one in the first timestep. Otherwise it sees what both answer to each timestep.
  bool head_of_ends = false;

  int64_t gates() const;
  int64_t directions() const { return bidirectional ? 2 : 1; }
  // Returns the numbers that a layer answers to a timestep: those of its directions, side by side.
  int64_t layer_width() const { return directions() * hidden_size; }
  // Returns the floats of one series' state in one direction of a layer: h, then c for an lstm.
  int64_t layer_state_size() const { return StateCount(cell) * hidden_size; }
};

// Says where each tensor of a network lies in one flat vector of floats. Weights, gradients and the optimizer's moments
// all have this layout. Tensors are row-major, in the model file's convention (model/weights.h).
class ParameterLayout {
 public:
  struct Range {
    size_t offset = 0;
    size_t size = 0;
  };
  struct Layer {
    Range weight_ih, weight_hh, bias_ih, bias_hh;
  };

  explicit ParameterLayout(const NetworkShape& shape);

  size_t size() const { return size_; }
  const Range& embedding() const { return embedding_; }
  // The layers, of a bidirectional network each forward one and then its backward one.
  const std::vector<Layer>& layers() const { return layers_; }
  const Range& head_weight() const { return head_weight_; }
  const Range& head_bias() const { return head_bias_; }
  // Returns every tensor that is a matrix: weight decay applies to these.
  std::vector<Range> Matrices() const;

 private:
  Range Take(size_t size);

  size_t size_ = 0;
  Range embedding_;
  std::vector<Layer> layers_;
  Range head_weight_, head_bias_;
};

template <typename T>
absl::Span<T> Slice(absl::Span<T> flat, const ParameterLayout::Range& range) {
  return flat.subspan(range.offset, range.size);
}

// REQUIRES: `parameters` and `weights` have the sizes that follow from `shape`.
Weights WeightsFromParameters(const NetworkShape& shape, absl::Span<const float> parameters);
std::vector<float> ParametersFromWeights(const NetworkShape& shape, const Weights& weights);

// Draws parameters by PyTorch's defaults: uniform in +-1/sqrt(hidden_size); embedding normal(0, 1). For an lstm the
// forget gate's bias_ih is 1, so that a new network remembers (Jozefowicz et al. 2015). Equal seeds give equal bits on
// any machine.
std::vector<float> InitialParameters(const NetworkShape& shape, uint64_t seed);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_NETWORK_SHAPE_H_
