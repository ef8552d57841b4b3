#ifndef RONDO_MODEL_TRAIN_MEAN_GRAPH_H_
#define RONDO_MODEL_TRAIN_MEAN_GRAPH_H_

#include <optional>

#include "absl/types/span.h"
#include "model/model_spec.h"
#include "model/train/linear_graph.h"
#include "model/weights.h"

namespace rondo::train {

// Returns a plain stack with a linear head as a graph that answers alike.
NetworkGraph GraphOf(const ModelSpec& spec, const Weights& weights);

// Returns the network that answers the weighted mean of what `networks` answer, each a network of `spec`'s inputs,
// outputs and horizon; the weights add up to 1. Nothing: it would have more elements or answers than are worth it.
std::optional<NetworkGraph> MeanGraph(const ModelSpec& spec, absl::Span<const NetworkGraph* const> networks,
                                      absl::Span<const double> weights);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_MEAN_GRAPH_H_
