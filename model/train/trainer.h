#ifndef RONDO_MODEL_TRAIN_TRAINER_H_
#define RONDO_MODEL_TRAIN_TRAINER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/train/backprop.h"
#include "model/train/dataset.h"
#include "model/train/learning_state.h"
#include "model/train/network_shape.h"
#include "model/train/optimizer.h"

namespace rondo::train {

struct LearningOptions {
  Loss loss;
  int64_t window = 64;       // timesteps that the gradient reaches back over
  int64_t batch_size = 16;   // windows of one optimiser step
  bool carry_state = false;  // a window starts from the state that the one before it ended with, else from zero
  int64_t epochs = 200;
  int64_t patience = 15;  // epochs without a better validation loss before stopping; 0: never
  double learning_rate = 1e-3;
  int64_t warmup_steps = 50;
  Decay decay = Decay::kCosine;
  double weight_decay = 0.01;
  double clip_norm = 1;  // 0: no limit
  double dropout = 0;
  bool refit = true;  // train again on training and validation part for as many epochs as were best
  uint64_t seed = 1;
  std::vector<float> initial;  // parameters to begin with; empty: drawn from the seed, with a head of zeros
};

// What the options say of the optimiser, of its learning rate, and of the parameters to begin with.
AdamW::Options OptimizerOptions(const LearningOptions& options);
LearningRate::Options RateOptions(const LearningOptions& options, int64_t steps_per_epoch);
std::vector<float> FirstParameters(const LearningOptions& options, const NetworkShape& shape);

// Fits a network to a dataset by AdamW on truncated windows, and keeps the parameters that did best on the validation
// part. The head starts at zero, so that epoch 0 predicts the mean (of the change, which is little else than
// persistence). What is kept is never worse than epoch 0 on the validation part; where the gain may be chance (a test
// at 0.1%), epoch 0 is kept. With `refit` the best number of epochs is then run once more from the start with the
// validation part included, since the latest timesteps are those most like what is to come.
//
// Ownership: borrows the dataset.
// Threads:   one, after PrepareTrainingThread.
class Trainer {
 public:
  struct Hooks {
    std::function<bool()> stop;                   // asked after each step; true ends the run
    std::function<void(const Trainer&)> on_step;  // progress and checkpoints
    std::function<void(const Trainer&)> on_epoch;
  };

  // Makes a trainer at the start of a run. Errors as Backprop::Create.
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(const Dataset& dataset, const NetworkShape& shape,
                                                         const LearningOptions& options);

  // Runs to the last epoch, until patience ends, or until stopped; Resume first to go on from a stored state.
  // ABORTED: the loss is not finite; names the step. state().best_parameters are the last good ones.
  absl::Status Run(const Hooks& hooks);
  // Goes on from a stored state. INVALID_ARGUMENT: its sizes or counts are not this run's.
  absl::Status Resume(LearningState state);

  const LearningState& state() const { return state_; }
  const LearningOptions& options() const { return options_; }
  int64_t steps_per_epoch() const { return state_.refit_epochs > 0 ? refit_steps_ : learning_steps_; }
  // Returns how many epochs this run has at most.
  int64_t epochs() const { return state_.refit_epochs > 0 ? state_.refit_epochs : options_.epochs; }
  double learning_rate() const { return rate_.At(state_.optimizer.step); }
  bool complete() const;

 private:
  struct ValidatedTimestep {
    double loss;
    absl::Span<const float> prediction, gradient;  // [head_size]; the gradient of the loss by the prediction
  };

  Trainer(const Dataset& dataset, const NetworkShape& shape, const LearningOptions& options,
          std::unique_ptr<Backprop> backprop);

  void StartFromInitial();
  void BeginRefit();
  absl::Status RunEpochs(const Hooks& hooks, bool* stopped);
  Dataset::Part fitted_part() const {
    return state_.refit_epochs > 0 ? Dataset::kTrainingAndValidation : Dataset::kTraining;
  }
  Pass EpochPass(int64_t epoch) const;
  absl::Status Step(absl::Span<const Window> windows);
  absl::Status EndEpoch();
  absl::StatusOr<double> ValidationLoss();
  // Calls back for every scored timestep of the validation part, always in one order.
  absl::Status ForEachValidated(absl::Span<const float> parameters,
                                const std::function<void(const ValidatedTimestep&)>& visit);
  absl::Status KeepInitialUnlessBeaten();
  void ClearFreshLanes(absl::Span<const Window> windows, std::vector<float>& state) const;

  const Dataset& dataset_;
  const NetworkShape shape_;
  const LearningOptions options_;
  const std::unique_ptr<Backprop> backprop_;
  const int64_t learning_steps_, refit_steps_;  // of an epoch
  const AdamW optimizer_;
  LearningRate rate_;
  LearningState state_;
  Batch batch_;
  std::vector<float> gradient_;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_TRAINER_H_
