#ifndef RONDO_MODEL_TRAIN_BIDIRECTIONAL_GRAPH_H_
#define RONDO_MODEL_TRAIN_BIDIRECTIONAL_GRAPH_H_

#include "absl/types/span.h"
#include "model/train/linear_graph.h"
#include "model/train/network_shape.h"

namespace rondo::train {

// Returns a bidirectional network as a graph: of each layer a forward and a reverse element side by side, and a dense
// one on the last of them; with head_of_ends on the last timestep of the forward and the first of the reverse one.
// `parameters` has the layout of ParameterLayout. The graph's outputs are left to the caller.
// REQUIRES: shape.bidirectional.
NetworkGraph BidirectionalGraph(const NetworkShape& shape, absl::Span<const float> parameters);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_BIDIRECTIONAL_GRAPH_H_
