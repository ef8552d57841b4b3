#ifndef RONDO_MODEL_WEIGHTS_H_
#define RONDO_MODEL_WEIGHTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "model/kernels/layer.h"
#include "model/model_spec.h"
#include "model/network/tensor_slot.h"

namespace rondo {

// All weights of a model. Sizes follow from its ModelSpec and are checked where the weights enter (model_file,
// Network).
struct Weights {
  std::vector<std::vector<float>> tensors;  // of a graph, one a slot in its order; a plain stack has what follows
  std::vector<float> embedding;             // [tokens][embedding_size], token models only
  std::vector<LayerWeights> layers;
  std::vector<float> head_weight;  // [output_size][hidden_size]
  std::vector<float> head_bias;    // [output_size]
};

// Every tensor of a model of `spec`, in the order our files hold them. Sets the number of layers or tensors; the slots
// borrow `weights`. A graph's are called ELEMENT.SLOT. REQUIRES: spec.Validate() is OK.
std::vector<TensorSlot> TensorSlots(const ModelSpec& spec, Weights* weights);

// INVALID_ARGUMENT: names the first tensor whose size does not follow from `spec`. REQUIRES: spec.Validate() is OK.
absl::Status CheckWeights(const ModelSpec& spec, const Weights& weights);

}  // namespace rondo

#endif  // RONDO_MODEL_WEIGHTS_H_
