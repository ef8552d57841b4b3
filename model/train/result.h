#ifndef RONDO_MODEL_TRAIN_RESULT_H_
#define RONDO_MODEL_TRAIN_RESULT_H_

#include "absl/status/status.h"
#include "model/train/options.h"
#include "model/train/source.h"
#include "model/train/trainer.h"

namespace rondo::train {

// Scores the best weights of a run over the test part, writes the folder --output with model, scores, forecast and
// report, and prints the scores to stdout. `options` as the run used them.
//
// ALREADY_EXISTS: --output. Other errors of the network or the disk; no folder is then left behind.
absl::Status WriteResult(const TrainOptions& options, const Source& source, const LearningState& learning);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_RESULT_H_
