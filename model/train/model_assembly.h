#ifndef RONDO_MODEL_TRAIN_MODEL_ASSEMBLY_H_
#define RONDO_MODEL_TRAIN_MODEL_ASSEMBLY_H_

#include "absl/status/statusor.h"
#include "model/model_file.h"
#include "model/model_spec.h"
#include "model/train/dataset.h"
#include "model/train/linear_graph.h"
#include "model/train/loss.h"
#include "model/train/network_shape.h"

namespace rondo::train {

// Joins what the data says of a model with the cell and sizes of `network` (whose input_size is the embedding's, of
// token models only) and the head that the loss trains.
ModelSpec SpecOf(const Dataset& dataset, const NetworkShape& network, const Loss& loss);

// Returns the sizes of the network of `spec`.
NetworkShape ShapeOf(const ModelSpec& spec);

// Joins what the data says of a model with a graph. INVALID_ARGUMENT: the graph breaks a rule of the model's file.
absl::StatusOr<ModelFile> ModelOf(ModelSpec spec, const NetworkGraph& network);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_MODEL_ASSEMBLY_H_
