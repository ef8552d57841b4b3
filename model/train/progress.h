#ifndef RONDO_MODEL_TRAIN_PROGRESS_H_
#define RONDO_MODEL_TRAIN_PROGRESS_H_

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "model/train/trainer.h"

namespace rondo::train {

// Writes a line to stderr that says how a run goes: epoch, losses, learning rate, steps a second, time left. It is
// rewritten in place on a terminal; elsewhere there is a line now and then.
//
// Threads: one.
class ProgressLine {
 public:
  explicit ProgressLine(bool terminal) : terminal_(terminal), started_(absl::Now()), last_epoch_(started_) {}

  // REQUIRES: an epoch has ended.
  void EndEpoch(const Trainer& trainer);
  void Finish();

 private:
  const bool terminal_;
  absl::Time started_;     // of this run: a refit starts anew
  absl::Time last_epoch_;  // its end
  absl::Time last_printed_ = absl::InfinitePast();
  int64_t first_step_ = -1;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_PROGRESS_H_
