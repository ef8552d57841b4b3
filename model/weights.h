#ifndef RONDO_MODEL_WEIGHTS_H_
#define RONDO_MODEL_WEIGHTS_H_

#include <vector>

namespace rondo {

// One layer in PyTorch's layout: gates G = 4 (lstm: i,f,g,o), 3 (gru: r,z,n) or 1 (rnn); row-major.
// The gru gates stand in the model file's own convention; the kernels translate (ModelSpec::gru_update, gru_reset).
struct LayerWeights {
  std::vector<float> weight_ih;  // [G * hidden_size][input width of the layer]
  std::vector<float> weight_hh;  // [G * hidden_size][hidden_size]
  std::vector<float> bias_ih;    // [G * hidden_size]
  std::vector<float> bias_hh;    // [G * hidden_size]
};

// All weights of a model. Sizes follow from its ModelSpec and are checked where the weights enter (model_file,
// Network).
struct Weights {
  std::vector<float> embedding;  // [tokens][embedding_size], token models only
  std::vector<LayerWeights> layers;
  std::vector<float> head_weight;  // [output_size][hidden_size]
  std::vector<float> head_bias;    // [output_size]
};

}  // namespace rondo

#endif  // RONDO_MODEL_WEIGHTS_H_
