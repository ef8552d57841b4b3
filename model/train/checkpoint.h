#ifndef RONDO_MODEL_TRAIN_CHECKPOINT_H_
#define RONDO_MODEL_TRAIN_CHECKPOINT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/train/learning_state.h"

namespace rondo::train {

// Stores a run's state, atomically and durably, so that kill -9 or a power cut costs the steps since the last
// checkpoint and nothing else. `fingerprint` stands for the data and the options.
//
//   checkpoint := "RONDOCK2" u64:fingerprint state u64:checksum    little-endian; checksum of all bytes before it
//   state      := u8:refused i64:refit_epochs i64:epoch i64:step_in_epoch floats:parameters floats:best floats:learned
//                 i64:steps floats:moment1 floats:moment2
//                 f64:plateau_factor i64:epochs_without_gain f64:best_loss i64:best_epoch
//                 doubles:training_losses doubles:validation_losses f64:loss_sum floats:carried
//   floats     := u64:count count * f32       doubles := u64:count count * f64
absl::Status WriteCheckpoint(const LearningState& state, uint64_t fingerprint, const std::string& path);

// Reads a run's state. NOT_FOUND: there is no such file. DATA_LOSS: it is not a complete checkpoint.
// FAILED_PRECONDITION: it is another run's.
absl::StatusOr<LearningState> ReadCheckpoint(uint64_t fingerprint, const std::string& path);

// Checks a state that was read. INVALID_ARGUMENT: it is of a network with another number of parameters than `size`.
absl::Status CheckSizes(const LearningState& state, size_t size);

// These write and read a checkpoint without a file. Any bytes may come; bytes that parse are what is written again.
std::string CheckpointBytes(const LearningState& state, uint64_t fingerprint);
absl::StatusOr<LearningState> ParseCheckpoint(uint64_t fingerprint, absl::string_view bytes);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_CHECKPOINT_H_
