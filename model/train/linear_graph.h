#ifndef RONDO_MODEL_TRAIN_LINEAR_GRAPH_H_
#define RONDO_MODEL_TRAIN_LINEAR_GRAPH_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/model_file.h"
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

// Returns a network as a model of a dataset. Errors as Graph::Read.
absl::StatusOr<ModelFile> ModelOf(const Dataset& dataset, const NetworkGraph& network);

// Returns the graph of network.layer.
NetworkGraph GraphOf(const Dataset& dataset, const LinearNetwork& network);

// Returns the graph of linear networks of a kind and length, one layer a series, which answers what the layer of the
// series at hand does; an element "series", which it lacks, is to say which one that is: 1 there, 0 of the others.
NetworkGraph GraphOf(const Dataset& dataset, LinearKind kind, int64_t length, absl::Span<const LinearLayer> layers);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LINEAR_GRAPH_H_
