#ifndef RONDO_MODEL_TRAIN_LABELLED_TRAINER_H_
#define RONDO_MODEL_TRAIN_LABELLED_TRAINER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/train/backprop.h"
#include "model/train/labelled_data.h"
#include "model/train/learning_state.h"
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
  double learning_rate = 0;  // of the next step
  int64_t best_epoch = 0;    // 0: before the first
};

// Fits a network to labelled sequences of different lengths by AdamW, and keeps the parameters that did best on the
// validation part. Each sequence is seen as a whole: sequences of similar length share an optimiser step, padded at
// their ends, where nothing is learned; a backward layer begins at each sequence's own end. The gradient of a class is
// scaled by its weight. Equal seeds, threads and data give equal bits, also of a run that goes on from a stored state.
//
// Ownership: borrows the data. Threads: one, after PrepareTrainingThread.
class LabelledTrainer {
 public:
  struct Hooks {
    // Asked after each step; false ends the run at once, to go on later from state().
    std::function<bool(const LabelledTrainer&)> on_step;
    // Asked after each epoch; false ends the run as if it were complete.
    std::function<bool(const LabelledProgress&)> on_epoch;
  };

  // Layers are kept for the lengths used last, as many as have buffers of so many bytes together, and at least those of
  // one length. Others are made anew when they are needed, which costs time and changes no bit.
  static constexpr size_t kMostBufferBytes = size_t{1} << 30;

  // `options.loss` is the cross entropy of the data's classes.
  LabelledTrainer(const LabelledData& data, const NetworkShape& shape, const LearningOptions& options,
                  size_t most_buffer_bytes = kMostBufferBytes);

  // Goes on from a stored state. INVALID_ARGUMENT: its sizes or counts are not this run's.
  absl::Status Resume(LearningState state);

  // Runs until the epochs, patience or a hook end it. ABORTED: the loss is not finite; what was best before is kept.
  // INVALID_ARGUMENT: no label of the training part or of the validation part weighs anything. Errors as
  // Backprop::Create.
  absl::Status Run(const Hooks& hooks);

  const LearningState& state() const { return state_; }  // it carries no state from step to step, and is never refitted
  LabelledProgress progress() const;
  size_t lengths_kept() const { return layers_.size(); }

 private:
  using Lanes = std::vector<size_t>;  // sequences of one step
  struct Layers {
    size_t timesteps = 0, bytes = 0;
    std::unique_ptr<Backprop> backprop;
  };

  // The steps over a part: sequences of similar length together, in an order that `seed` says.
  std::vector<Lanes> Steps(LabelledData::Part part, uint64_t seed) const;
  // The timesteps that a sequence has with its padding, of a few sizes: a step has sequences of one.
  size_t PaddedLengthOf(size_t sequence) const;
  // Returns the layers of that many timesteps, which live until other ones are asked for.
  absl::StatusOr<Backprop*> LayersOf(size_t timesteps);
  double WeightOf(const Lanes& lanes) const;
  // Fills batch_, and returns the layers that take it.
  absl::StatusOr<Backprop*> Load(const Lanes& lanes);
  void FillTimestep(const LabelledSequence& sequence, size_t timestep, size_t row);
  bool complete() const;
  absl::Status TrainStep(const Lanes& lanes);
  // Goes over what is left of an epoch, and ends it unless a hook stops the run before.
  absl::Status TrainEpoch(const Hooks& hooks, bool* stopped);
  absl::Status EndEpoch(double training_loss);
  absl::StatusOr<double> ValidationLoss();

  const LabelledData& data_;
  const NetworkShape shape_;
  const LearningOptions options_;
  const ParameterLayout layout_;
  const AdamW optimizer_;
  LearningRate rate_;
  LearningState state_;
  const size_t most_buffer_bytes_;
  std::list<Layers> layers_;  // those used last come first
  size_t buffer_bytes_ = 0;   // of layers_
  std::vector<float> gradient_;
  Batch batch_;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LABELLED_TRAINER_H_
