#ifndef RONDO_MODEL_WEIGHTS_H_
#define RONDO_MODEL_WEIGHTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "model/kernels/layer.h"
#include "model/model_spec.h"

namespace rondo {

// All weights of a model. Sizes follow from its ModelSpec and are checked where the weights enter (model_file,
// Network).
struct Weights {
  std::vector<float> embedding;  // [tokens][embedding_size], token models only
  std::vector<LayerWeights> layers;
  std::vector<float> head_weight;  // [output_size][hidden_size]
  std::vector<float> head_bias;    // [output_size]
};

struct TensorShape {
  std::vector<int64_t> dimensions;

  int64_t size() const;          // floats; 1 for no dimension
  std::string ToString() const;  // "[4][16]"
};

// One tensor of a model: the name our own files give it, the shape that follows from the spec, and where it lives.
struct TensorSlot {
  std::string name;
  TensorShape shape;
  std::vector<float>* values;
};

// Every tensor of a model of `spec`, in the order our files hold them. Sets the number of `weights->layers`; the slots
// borrow `weights`. REQUIRES: spec.Validate() is OK.
std::vector<TensorSlot> TensorSlots(const ModelSpec& spec, Weights* weights);

// INVALID_ARGUMENT: names the first tensor whose size does not follow from `spec`. REQUIRES: spec.Validate() is OK.
absl::Status CheckWeights(const ModelSpec& spec, const Weights& weights);

int64_t GateCount(Cell cell);  // 4, 3, 1

}  // namespace rondo

#endif  // RONDO_MODEL_WEIGHTS_H_
