#include "model/train/progress.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace rondo::train {

void ProgressLine::EndEpoch(const Trainer& trainer) {
  const LearningState& state = trainer.state();
  const bool refit = state.refit_epochs > 0;
  if (first_step_ < 0 || state.optimizer.step < first_step_) {
    first_step_ = state.optimizer.step - trainer.steps_per_epoch();
    started_ = absl::Now();
  }
  const absl::Time now = absl::Now();
  if (!trainer.complete() && now - last_printed_ < (terminal_ ? absl::Milliseconds(100) : absl::Seconds(2))) return;
  last_printed_ = now;
  const double seconds = std::max(absl::ToDoubleSeconds(now - started_), 1e-9);
  const double rate = (state.optimizer.step - first_step_) / seconds;
  const int64_t steps_left = (trainer.epochs() - state.epoch) * trainer.steps_per_epoch();
  absl::FPrintF(
      stderr,
      "%s%s %d/%d  training %.5f  validation %.5f  best %.5f (epoch %d)  rate %.2e  %.0f steps/s  %s%.0f s left%s",
      terminal_ ? "\r" : "", refit ? "refit epoch" : "epoch", state.epoch, trainer.epochs(),
      state.training_losses.back(), state.validation_losses.back(), state.best_loss, state.best_epoch,
      trainer.learning_rate(), rate, refit ? "" : "at most ", steps_left / rate, terminal_ ? "\033[K" : "\n");
  std::fflush(stderr);
}

void ProgressLine::Finish() {
  if (terminal_) std::fputc('\n', stderr);
}

}  // namespace rondo::train
