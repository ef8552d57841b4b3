#ifndef RONDO_MODEL_TRAIN_BASE_MODEL_H_
#define RONDO_MODEL_TRAIN_BASE_MODEL_H_

#include "absl/status/status.h"
#include "model/model_file.h"
#include "model/train/options.h"

namespace rondo::train {

// Lets a run go on from a model: its network, columns, statistics, head and table take the place of what the options
// say of them, and its weights are where the training begins. INVALID_ARGUMENT: it takes tokens, or is no plain stack
// of cells; why, and what can be done.
absl::Status ContinueFrom(const ModelFile& model, TrainOptions* options);

// `rondo-train evaluate`: scores a model on every row of --data, as a session would see them, and prints the scores to
// stdout.
absl::Status EvaluateOnData(TrainOptions options);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_BASE_MODEL_H_
