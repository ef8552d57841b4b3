#ifndef RONDO_MODEL_TRAIN_LABELLED_RUN_H_
#define RONDO_MODEL_TRAIN_LABELLED_RUN_H_

#include <atomic>

#include "absl/status/status.h"
#include "base/option_table.h"
#include "model/train/options.h"
#include "model/train/run.h"

namespace rondo::train {

// Judges the options of a task with labels. INVALID_ARGUMENT: what came and what was wanted.
absl::Status CheckLabelledOptions(const OptionTable& table, const TrainOptions& options);

// Goes the whole way for a task with labels, as RunTraining does for forecasts: data, training, scores on the test part
// through the network that the server runs, output folder. ALREADY_EXISTS: --output. ABORTED: the run diverged; the
// best weights before are written all the same. CANCELLED: stopped with a checkpoint.
absl::Status RunLabelled(TrainOptions options, const std::atomic<Interrupt>& interrupt);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LABELLED_RUN_H_
