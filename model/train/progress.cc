#include "model/train/progress.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace rondo::train {

void ProgressLine::EndEpoch(const Trainer& trainer) {
  const LearningState& state = trainer.state();
  const absl::Time now = absl::Now();
  if (first_step_ < 0 || state.optimizer.step < first_step_) {  // a refit counts its steps anew
    first_step_ = state.optimizer.step - trainer.steps_per_epoch();
    started_ = last_epoch_;
  }
  last_epoch_ = now;
  if (!trainer.complete() && now - last_printed_ < (terminal_ ? absl::Milliseconds(100) : absl::Seconds(2))) return;
  last_printed_ = now;
  const double seconds = std::max(absl::ToDoubleSeconds(now - started_), 1e-9);
  const double steps_a_second = (state.optimizer.step - first_step_) / seconds;
  const double seconds_left = (trainer.epochs() - state.epoch) * trainer.steps_per_epoch() / steps_a_second;
  const bool refit = state.refit_epochs > 0;
  const std::string losses =
      refit ? "training and validation part"
            : absl::StrFormat("training %.5f  validation %.5f  best %.5f (epoch %d)", state.training_losses.back(),
                              state.validation_losses.back(), state.best_loss, state.best_epoch);
  absl::FPrintF(stderr, "%s%s %d/%d  %s  rate %.2e  %.0f steps/s  %s%.0f s left%s", terminal_ ? "\r" : "",
                refit ? "refit epoch" : "epoch", state.epoch, trainer.epochs(), losses, trainer.learning_rate(),
                steps_a_second, refit ? "" : "at most ", seconds_left, terminal_ ? "\033[K" : "\n");
  std::fflush(stderr);
}

void ProgressLine::Finish() {
  if (terminal_) std::fputc('\n', stderr);
}

}  // namespace rondo::train
