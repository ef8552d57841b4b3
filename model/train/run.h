#ifndef RONDO_MODEL_TRAIN_RUN_H_
#define RONDO_MODEL_TRAIN_RUN_H_

#include <atomic>

#include "absl/status/status.h"
#include "model/train/options.h"

namespace rondo::train {

// Says what a signal asks of a run. A signal handler sets it.
enum class Interrupt : int {
  kNone,
  kFinish,  // end the training here and write the best so far
  kStop,    // write a checkpoint and end without a result, to be resumed
};

// Goes the whole way: data, training, scores, output folder. It prints progress to stderr and the scores to stdout.
//
// ALREADY_EXISTS: --output. ABORTED: the run diverged; the best weights before are written all the same. CANCELLED:
// stopped with a checkpoint. Otherwise the errors of the parts; no output folder is then left behind.
absl::Status RunTraining(TrainOptions options, const std::atomic<Interrupt>& interrupt);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_RUN_H_
