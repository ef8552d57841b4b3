#ifndef RONDO_MODEL_TRAIN_MODEL_ASSEMBLY_H_
#define RONDO_MODEL_TRAIN_MODEL_ASSEMBLY_H_

#include "model/model_spec.h"
#include "model/train/dataset.h"
#include "model/train/loss.h"
#include "model/train/network_shape.h"

namespace rondo::train {

// What the data says of a model, joined with the cell and sizes of `network` (its input_size is the embedding's; token
// models only) and the head that the loss trains.
ModelSpec SpecOf(const Dataset& dataset, const NetworkShape& network, const Loss& loss);

// The sizes of the network of `spec`.
NetworkShape ShapeOf(const ModelSpec& spec);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_MODEL_ASSEMBLY_H_
