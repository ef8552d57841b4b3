#ifndef RONDO_MODEL_TRAIN_LABELLED_TRAINER_H_
#define RONDO_MODEL_TRAIN_LABELLED_TRAINER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/train/backprop.h"
#include "model/train/labelled_data.h"
#include "model/train/network_shape.h"
#include "model/train/optimizer.h"
#include "model/train/trainer.h"

namespace rondo::train {

// What a run has come to after an epoch.
struct LabelledProgress {
  int64_t epoch = 0;
  int64_t steps = 0;
  double training_loss = 0;
  double validation_loss = 0;
  double learning_rate = 0;  // of the last step
  int64_t best_epoch = 0;    // 0: before the first
};

// Fits a network to labelled sequences of different lengths by AdamW, and keeps the parameters that did best on the
// validation part. Each sequence is seen as a whole: sequences of similar length share an optimiser step, padded at
// their ends, where nothing is learned. The gradient of a class is scaled by its weight. Equal seeds, threads and data
// give equal bits.
//
// Ownership: borrows the data. Threads: one, after PrepareTrainingThread.
class LabelledTrainer {
 public:
  // `options.loss` is the cross entropy of the data's classes.
  LabelledTrainer(const LabelledData& data, const NetworkShape& shape, const LearningOptions& options);

  // Runs until the epochs, patience or `on_epoch`, which answers false, end it. ABORTED: the loss is not finite; what
  // was best before is kept. INVALID_ARGUMENT: no label of the training part or of the validation part weighs anything.
  // Errors as Backprop::Create.
  absl::Status Run(const std::function<bool(const LabelledProgress&)>& on_epoch);

  const std::vector<float>& best_parameters() const { return best_parameters_; }
  const LabelledProgress& progress() const { return progress_; }
  const std::vector<double>& training_losses() const { return training_losses_; }
  const std::vector<double>& validation_losses() const { return validation_losses_; }

 private:
  using Lanes = std::vector<size_t>;  // sequences of one step

  // The steps over a part: sequences of similar length together, in an order that `seed` says.
  std::vector<Lanes> Steps(LabelledData::Part part, uint64_t seed) const;
  // The timesteps that a sequence has with its padding, of a few sizes: a step has sequences of one.
  size_t PaddedLengthOf(size_t sequence) const;
  // Makes the layers of that many timesteps, once.
  absl::StatusOr<Backprop*> LayersOf(size_t timesteps);
  // Fills batch_; returns the weight of its labels.
  double Fill(const Lanes& lanes, size_t timesteps);
  void FillTimestep(const LabelledSequence& sequence, size_t timestep, size_t row);
  // Goes over a part, and returns the mean of what `loss_of` answers for each step, when batch_ holds it. Ends at the
  // first error. INVALID_ARGUMENT: no label of the part weighs anything.
  using LossOfStep = std::function<absl::StatusOr<double>(Backprop& layers, absl::Span<float> state)>;
  absl::StatusOr<double> MeanLoss(LabelledData::Part part, uint64_t seed, const LossOfStep& loss_of);
  absl::StatusOr<double> TrainStep(int64_t epoch, Backprop& layers, absl::Span<float> state);
  absl::StatusOr<double> TrainEpoch(int64_t epoch);
  absl::StatusOr<double> ValidationLoss();

  const LabelledData& data_;
  const NetworkShape shape_;
  const LearningOptions options_;
  const ParameterLayout layout_;
  const AdamW optimizer_;
  LearningRate rate_;
  AdamW::State state_;
  std::map<size_t, std::unique_ptr<Backprop>> layers_;  // by timesteps
  std::vector<float> parameters_, best_parameters_, gradient_;
  Batch batch_;
  LabelledProgress progress_;
  std::vector<double> training_losses_, validation_losses_;  // one an epoch
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LABELLED_TRAINER_H_
