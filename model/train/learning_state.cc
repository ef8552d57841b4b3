#include "model/train/learning_state.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace rondo::train {

absl::Status LearningState::EndEpoch(double training_loss, double validation_loss, LearningRate* learning_rate) {
  ++epoch;
  loss_sum = 0;
  step_in_epoch = 0;
  if (!std::isfinite(validation_loss)) {
    return absl::AbortedError(absl::StrCat("the run diverged by step ", optimizer.step, ": the validation loss is ",
                                           validation_loss, "; a smaller --learning_rate helps"));
  }
  training_losses.push_back(training_loss);
  validation_losses.push_back(validation_loss);
  const bool better = validation_loss < best_loss;
  if (better) {
    best_loss = validation_loss;
    best_epoch = epoch;
    best_parameters = parameters;
  }
  learning_rate->EndEpoch(better);
  rate = learning_rate->state();
  return absl::OkStatus();
}

}  // namespace rondo::train
