#ifndef RONDO_MODEL_TRAIN_LEARNING_STATE_H_
#define RONDO_MODEL_TRAIN_LEARNING_STATE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "model/train/optimizer.h"

namespace rondo::train {

// Holds everything that a run has come to. What follows depends on this state, the data and the options alone, so a run
// that goes on from a stored state ends with equal bits.
struct LearningState {
  bool refused = false;      // nothing learnt beat the initial network by more than chance: that one is kept
  int64_t refit_epochs = 0;  // 0: learning with early stopping; else the second run, and how long it is
  int64_t epoch = 0;         // complete epochs of this run
  int64_t step_in_epoch = 0;
  std::vector<float> parameters, best_parameters;
  std::vector<float> learned_parameters;  // the best ones before the second run, which has not seen the validation part
  AdamW::State optimizer;
  LearningRate::State rate;
  double best_loss = 0;                   // on the validation part
  int64_t best_epoch = 0;                 // 0: before the first
  std::vector<double> training_losses;    // one an epoch
  std::vector<double> validation_losses;  // one an epoch; of a Trainer also one before the first
  double loss_sum = 0;                    // of the epoch that is running
  std::vector<float> carried;             // the lanes' states between two steps

  // Ends an epoch that is judged on the validation part: notes both losses, keeps the parameters if they are the best
  // so far, and tells the learning rate. ABORTED: the validation loss is not finite; the epoch is over, and no more
  // noted.
  absl::Status EndEpoch(double training_loss, double validation_loss, LearningRate* learning_rate);
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LEARNING_STATE_H_
