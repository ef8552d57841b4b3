#ifndef RONDO_TESTS_CHAIN_MODEL_H_
#define RONDO_TESTS_CHAIN_MODEL_H_

#include <cstddef>
#include <string>
#include <vector>

#include "model/model_file.h"

namespace rondo {

// A token model over the letters "abcd" and a newline: after each letter the next one is the most probable, and letters
// of the past count too, so that a wrong state gives other probabilities.
inline ModelFile ChainModel() {
  constexpr size_t kTokens = 5;
  ModelFile model;
  model.spec.cell = Cell::kRnn;
  model.spec.activation = Activation::kTanh;
  model.spec.num_layers = 1;
  model.spec.hidden_size = model.spec.embedding_size = model.spec.tokens = kTokens;
  model.spec.outputs = NumberedFeatures<OutputFeature>("y", kTokens);
  model.spec.outputs_by_size = true;
  model.spec.head = Head::kSoftmax;
  model.spec.vocabulary = *Vocabulary::Create({"a", "b", "c", "d", "\n"});
  std::vector<float> identity(kTokens * kTokens, 0), recurrent = identity, next = identity;
  for (size_t i = 0; i < kTokens; ++i) {
    identity[i * kTokens + i] = 1;
    recurrent[i * kTokens + (i + 2) % kTokens] = 0.4f;
    next[(i + 1) % kTokens * kTokens + i] = 3;
  }
  model.weights.embedding = identity;
  model.weights.layers.push_back({identity, recurrent, std::vector<float>(kTokens, 0), std::vector<float>(kTokens, 0)});
  model.weights.head_weight = next;
  model.weights.head_bias.assign(kTokens, 0);
  return model;
}

}  // namespace rondo

#endif  // RONDO_TESTS_CHAIN_MODEL_H_
