#ifndef RONDO_MODEL_TRAIN_LINEAR_GRAPH_H_
#define RONDO_MODEL_TRAIN_LINEAR_GRAPH_H_

#include <string>
#include <utility>
#include <vector>

#include "model/train/dataset.h"
#include "model/train/linear_network.h"
#include "nlohmann/json.hpp"

namespace rondo::train {

// Says what a network is in a model file of format 2.
struct NetworkGraph {  // NOLINT(bugprone-exception-escape): moving a Json value only asserts
  nlohmann::ordered_json elements = nlohmann::ordered_json::array();
  std::string output;                                               // the name of the element that answers
  std::vector<std::pair<std::string, std::vector<float>>> tensors;  // "ELEMENT.slot" and its values
  std::vector<OutputFeature> outputs;
};

// Returns the graph of network.layer.
NetworkGraph GraphOf(const Dataset& dataset, const LinearNetwork& network);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LINEAR_GRAPH_H_
