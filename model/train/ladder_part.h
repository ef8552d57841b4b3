#ifndef RONDO_MODEL_TRAIN_LADDER_PART_H_
#define RONDO_MODEL_TRAIN_LADDER_PART_H_

#include <optional>
#include <vector>

#include "model/train/dataset.h"
#include "model/train/linear_graph.h"
#include "model/train/linear_network.h"

namespace rondo::train {

// A network that a mean can be made of: as it was judged, and as it would be written. `earlier`: as it was judged on
// each fold; none, or without elements where there were too few rows to fit it.
struct LadderPart {
  NetworkGraph judged, written;
  std::vector<NetworkGraph> earlier;
  bool is_rule = false;       // a naive one
  bool is_recurrent = false;  // it reads the level of each series
};

// Tells whether a model of this dataset can be told which series it is in. Not where that would take much memory: each
// timestep has a number for each series then.
bool CanKnowSeries(const Dataset& dataset);

// Fits linear networks of a kind, each to one series alone. Nothing: none can be fitted, they would be too large, or
// the fit was stopped.
std::optional<LadderPart> OfEachSeries(const Dataset& dataset, LinearKind kind, const LinearOptions& options);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LADDER_PART_H_
