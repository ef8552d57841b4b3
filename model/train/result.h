#ifndef RONDO_MODEL_TRAIN_RESULT_H_
#define RONDO_MODEL_TRAIN_RESULT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/model_file.h"
#include "model/train/evaluation.h"
#include "model/train/options.h"
#include "model/train/source.h"
#include "model/train/trainer.h"

namespace rondo::train {

// Scores a model over the test part on a thread of its own, since Network's thread settings are not the trainer's.
absl::StatusOr<Evaluation> EvaluateModel(const Dataset& dataset, const ModelFile& model, int64_t season);

// Scores the best weights of a run over the test part, writes the folder --output with model, scores, forecast and
// report, and prints the scores to stdout. `options` as the run used them.
//
// ALREADY_EXISTS: --output. Other errors of the network or the disk; no folder is then left behind.
absl::Status WriteResult(const TrainOptions& options, const Source& source, const LearningState& learning);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_RESULT_H_
