#ifndef RONDO_MODEL_TRAIN_SERIES_GRAPH_H_
#define RONDO_MODEL_TRAIN_SERIES_GRAPH_H_

#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "model/model_spec.h"
#include "model/train/linear_graph.h"

namespace rondo::train {

// A network and what it counts for in a mean: in each series, and in one that is not known.
struct WeightedNetwork {
  const NetworkGraph* network = nullptr;
  std::vector<double> weights;  // [series]
  double unknown = 0;
};

// Returns the network that answers a weighted mean whose weights are those of the series at hand. Weights that do not
// add up to 1 leave the rest to the value now. `spec`: of the dataset, each of whose targets is predicted as a change;
// the networks are of its inputs, and the answer of those of Dataset::WithSeriesInputs. Those need to be sent at a
// session's first timestep only: the network remembers which series it is in as long as they are 0. Nothing: the mean
// would have more elements or answers than are worth it.
std::optional<NetworkGraph> SeriesMeanGraph(const ModelSpec& spec, absl::Span<const WeightedNetwork> networks);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_SERIES_GRAPH_H_
