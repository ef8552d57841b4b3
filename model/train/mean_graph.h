#ifndef RONDO_MODEL_TRAIN_MEAN_GRAPH_H_
#define RONDO_MODEL_TRAIN_MEAN_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "model/model_spec.h"
#include "model/train/linear_graph.h"
#include "model/weights.h"

namespace rondo::train {

// The most that a network put together of others has: elements, of the 512 that a description may have, and answers.
inline constexpr size_t kMostElements = 500;
inline constexpr int64_t kMostAnswers = 1024;

// Returns a plain stack with a linear head as a graph that answers alike.
NetworkGraph GraphOf(const ModelSpec& spec, const Weights& weights);

// Returns the network that answers the weighted mean of what `networks` answer, each a network of `spec`'s inputs,
// outputs and horizon; the weights add up to 1. Nothing: it would have more elements or answers than are worth it.
std::optional<NetworkGraph> MeanGraph(const ModelSpec& spec, absl::Span<const NetworkGraph* const> networks,
                                      absl::Span<const double> weights);

// Copies a network's elements under names of their own: `prefix` before each, but for "series", and `input` for
// "input".
void AddRenamed(const NetworkGraph& network, const std::string& prefix, const std::string& input, NetworkGraph* graph);

// Returns the layer that makes the weighted mean, in the units that values are sent in, of the answers of networks side
// by side and the standardised features of `spec` behind them: its weight, [answers][networks * answers + features],
// and its bias. With `minus_now` the mean minus the newest value of each target.
std::pair<std::vector<float>, std::vector<float>> MeanLayer(const ModelSpec& spec,
                                                            absl::Span<const NetworkGraph* const> networks,
                                                            absl::Span<const double> weights, bool minus_now);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_MEAN_GRAPH_H_
