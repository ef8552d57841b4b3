#ifndef RONDO_MODEL_TRAIN_LABELLED_RESULT_H_
#define RONDO_MODEL_TRAIN_LABELLED_RESULT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "model/model_file.h"
#include "model/train/labelled_data.h"
#include "model/train/network_shape.h"
#include "model/train/options.h"
#include "model/train/trainer.h"

namespace rondo::train {

// What a run of a task with labels has made.
struct LabelledResult {
  const LabelledData& data;
  const NetworkShape& shape;
  const LearningState& learning;
  uint64_t checksum_of_data;
};

// Writes the output folder: the model with the scores of the test part, by the network that the server runs;
// scores.json and report.html. Prints the scores to stdout. Errors as WriteOutput and Network::Create.
absl::Status WriteLabelled(const TrainOptions& options, const LabelledResult& result, ModelFile model);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LABELLED_RESULT_H_
