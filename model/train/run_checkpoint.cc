#include "model/train/run_checkpoint.h"

#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/annotate.h"
#include "model/checksum.h"
#include "model/train/checkpoint.h"
#include "model/train/output_folder.h"

namespace rondo::train {
namespace {

uint64_t Fingerprint(const TrainOptions& options, uint64_t checksum_of_data) {
  std::string text = absl::StrCat(checksum_of_data, " threads=", options.threads);
  for (const auto& [name, value] : options.texts) absl::StrAppend(&text, "\n", name, "=", value);
  return Checksum(text);
}

}  // namespace

RunCheckpoint::RunCheckpoint(const TrainOptions& options, uint64_t checksum_of_data)
    : options_(options),
      path_(absl::StrCat(options.output, ".checkpoint")),
      fingerprint_(Fingerprint(options, checksum_of_data)) {}

absl::StatusOr<std::optional<LearningState>> RunCheckpoint::Begin() {
  // A folder that cannot be written is found before the training, not after it.
  if (absl::Status status = OutputFolder::Create(options_.output).status(); !status.ok()) return status;
  std::error_code error;
  if (!std::filesystem::exists(path_, error)) return std::nullopt;
  if (!options_.resume) {
    return absl::FailedPreconditionError(
        absl::StrCat("an interrupted run left ", path_, "; --resume goes on with it, removing it starts again"));
  }
  auto state = ReadCheckpoint(fingerprint_, path_);
  if (!state.ok()) return Annotate(state.status(), path_);
  absl::FPrintF(stderr, "resumed after step %d\n", state->optimizer.step);
  return *std::move(state);
}

void RunCheckpoint::StoreNowAndThen(const LearningState& state) {
  if (absl::Now() - last_stored_ >= options_.checkpoint_interval) Store(state);
}

void RunCheckpoint::Store(const LearningState& state) {
  last_stored_ = absl::Now();
  const absl::Status status = WriteCheckpoint(state, fingerprint_, path_);
  if (status.ok() || warned_) return;
  warned_ = true;
  absl::FPrintF(stderr, "no checkpoint at %s: %s\n", path_, std::string(status.message()));
}

void RunCheckpoint::Remove() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace rondo::train
