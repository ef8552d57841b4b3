#ifndef RONDO_MODEL_TRAIN_RESULT_H_
#define RONDO_MODEL_TRAIN_RESULT_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/model_file.h"
#include "model/train/evaluation.h"
#include "model/train/ladder.h"
#include "model/train/options.h"
#include "model/train/source.h"
#include "model/train/trainer.h"

namespace rondo::train {

// Finds the model's band_factors (CalibrateBands) on a thread of its own.
absl::StatusOr<std::vector<double>> BandFactors(const Dataset& dataset, const ModelFile& model, int64_t steps,
                                                uint64_t seed);

// Scores a model over a part on a thread of its own, since Network's thread settings are not the trainer's.
absl::StatusOr<Evaluation> EvaluateModel(const Dataset& dataset, const ModelFile& model, int64_t season,
                                         Dataset::Part part = Dataset::kTest);

// Scores a model over the test part, writes the folder --output with model, scores, forecast and
// report, and prints the scores to stdout. `options` as the run used them; `learning` as far as a network
// was trained step by step.
//
// ALREADY_EXISTS: --output. Other errors of the network or the disk; no folder is then left behind.
absl::Status WriteResult(const TrainOptions& options, const Source& source, ModelFile model,
                         const LearningState& learning, const std::vector<Rung>& ladder);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_RESULT_H_
