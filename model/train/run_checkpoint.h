#ifndef RONDO_MODEL_TRAIN_RUN_CHECKPOINT_H_
#define RONDO_MODEL_TRAIN_RUN_CHECKPOINT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "model/train/options.h"
#include "model/train/trainer.h"

namespace rondo::train {

// Keeps what a run has come to in OUTPUT.checkpoint, so that an interrupted run goes on from there.
//
// Ownership: borrows the options. Threads: one.
class RunCheckpoint {
 public:
  RunCheckpoint(const TrainOptions& options, uint64_t checksum_of_data);

  // Returns the state to go on from; nothing: the run begins. FAILED_PRECONDITION: there is a checkpoint, and it was
  // not asked for or is another run's. DATA_LOSS: it is not a whole one. Others: the output folder cannot be made.
  absl::StatusOr<std::optional<LearningState>> Begin();
  // Stores the state if --checkpoint_interval has passed since the last time.
  void StoreNowAndThen(const LearningState& state);
  // Stores the state. A failure is said once on stderr; the training goes on.
  void Store(const LearningState& state);
  void Remove();

  const std::string& path() const { return path_; }

 private:
  const TrainOptions& options_;
  const std::string path_;
  const uint64_t fingerprint_;
  absl::Time last_stored_ = absl::Now();
  bool warned_ = false;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_RUN_CHECKPOINT_H_
