#include "model/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/train/checkpoint.h"
#include "model/train/random.h"

namespace rondo::train {
namespace {

// An epoch of a short series goes over it several times, since judging after every few steps would stop too early.
constexpr int64_t kMinStepsPerEpoch = 20;

// This is one-sided 0.1% of the normal distribution. It is strict because the best of many epochs is tested: a network
// that gains less on the validation part may have done so by chance.
constexpr double kSignificantDeviations = 3.09;

// Returns the steps of an epoch over a part.
int64_t StepsOfEpoch(const Dataset& dataset, Dataset::Part fitted, const LearningOptions& options) {
  int64_t windows = 0;
  for (const Segment& part : dataset.segments(fitted)) {
    const int64_t stride = options.carry_state ? options.window : std::max<int64_t>(1, options.window / 2);
    windows += (part.timesteps() + stride - 1) / stride;
  }
  return std::max(kMinStepsPerEpoch, (windows + options.batch_size - 1) / options.batch_size);
}

}  // namespace

AdamW::Options OptimizerOptions(const LearningOptions& options) {
  AdamW::Options optimizer;
  optimizer.weight_decay = options.weight_decay;
  return optimizer;
}

LearningRate::Options RateOptions(const LearningOptions& options, int64_t steps_per_epoch) {
  LearningRate::Options rate;
  rate.peak = options.learning_rate;
  rate.decay = options.decay;
  rate.warmup_steps = options.warmup_steps;
  rate.total_steps = options.epochs * steps_per_epoch;
  rate.plateau_patience = std::max<int64_t>(1, options.patience / 4);
  return rate;
}

std::vector<float> FirstParameters(const LearningOptions& options, const NetworkShape& shape) {
  if (!options.initial.empty()) return options.initial;
  std::vector<float> parameters = InitialParameters(shape, options.seed);
  const ParameterLayout layout(shape);
  for (const auto& range : {layout.head_weight(), layout.head_bias()}) {
    std::fill_n(parameters.begin() + range.offset, range.size, 0.0f);
  }
  return parameters;
}

Trainer::Trainer(const Dataset& dataset, const NetworkShape& shape, const LearningOptions& options,
                 std::unique_ptr<Backprop> backprop)
    : dataset_(dataset),
      shape_(shape),
      options_(options),
      backprop_(std::move(backprop)),
      learning_steps_(StepsOfEpoch(dataset, Dataset::kTraining, options)),
      refit_steps_(StepsOfEpoch(dataset, Dataset::kTrainingAndValidation, options)),
      optimizer_(backprop_->layout(), OptimizerOptions(options)),
      rate_(RateOptions(options, learning_steps_)),
      gradient_(backprop_->layout().size()) {
  StartFromInitial();
  state_.best_parameters = state_.parameters;
}

void Trainer::StartFromInitial() {
  state_.parameters = FirstParameters(options_, shape_);
  state_.optimizer = optimizer_.InitialState();
  state_.carried.assign(backprop_->state_size(), 0.0f);
  state_.epoch = 0;
}

void Trainer::BeginRefit() {
  state_.refit_epochs = state_.best_epoch;
  state_.learned_parameters = state_.best_parameters;
  StartFromInitial();
  rate_.set_state({});
  state_.rate = rate_.state();
}

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(const Dataset& dataset, const NetworkShape& shape,
                                                         const LearningOptions& options) {
  auto backprop = Backprop::Create(shape, {options.window, options.batch_size, options.loss, options.dropout});
  if (!backprop.ok()) return backprop.status();
  return std::unique_ptr<Trainer>(new Trainer(dataset, shape, options, *std::move(backprop)));
}

absl::Status Trainer::Resume(LearningState state) {
  const size_t size = backprop_->layout().size();
  const size_t learned = state.learned_parameters.size();
  if (learned != (state.refit_epochs > 0 ? size : 0)) {
    return absl::InvalidArgumentError("the checkpoint is of a run of another version");
  }
  if (absl::Status status = CheckSizes(state, size); !status.ok()) return status;
  const int64_t steps = state.refit_epochs > 0 ? refit_steps_ : learning_steps_;
  if (state.carried.size() != backprop_->state_size() || state.step_in_epoch < 0 || state.step_in_epoch >= steps) {
    return absl::InvalidArgumentError("the checkpoint is of a run with other windows");
  }
  const auto in_bounds = [](int64_t value, int64_t most) { return value >= 0 && value <= most; };
  if (!in_bounds(state.refit_epochs, options_.epochs) || !in_bounds(state.best_epoch, options_.epochs) ||
      !in_bounds(state.epoch, state.refit_epochs > 0 ? state.refit_epochs : options_.epochs) ||
      state.validation_losses.size() != state.training_losses.size() + 1) {
    return absl::InvalidArgumentError("the checkpoint is of a run with other epochs");
  }
  state_ = std::move(state);
  rate_.set_state(state_.rate);
  return absl::OkStatus();
}

bool Trainer::complete() const {
  if (state_.refused || state_.epoch >= epochs()) return true;
  return state_.refit_epochs == 0 && options_.patience > 0 && state_.epoch - state_.best_epoch >= options_.patience;
}

absl::Status Trainer::Run(const Hooks& hooks) {
  if (state_.validation_losses.empty()) {
    const absl::StatusOr<double> loss = ValidationLoss();
    if (!loss.ok()) return loss.status();
    state_.validation_losses.push_back(*loss);
    state_.best_loss = *loss;
  }
  bool stopped = false;
  if (absl::Status status = RunEpochs(hooks, &stopped); !status.ok() || stopped) return status;
  if (state_.refit_epochs > 0 || state_.refused || state_.best_epoch == 0) return absl::OkStatus();
  if (absl::Status status = KeepInitialUnlessBeaten(); !status.ok()) return status;
  if (!options_.refit || state_.best_epoch == 0) return absl::OkStatus();
  BeginRefit();
  return RunEpochs(hooks, &stopped);
}

absl::Status Trainer::RunEpochs(const Hooks& hooks, bool* stopped) {
  while (!complete()) {
    const Pass pass = EpochPass(state_.epoch);
    do {
      if (absl::Status status = Step(pass[state_.step_in_epoch]); !status.ok()) return status;
      if (state_.step_in_epoch == steps_per_epoch()) {
        if (absl::Status status = EndEpoch(); !status.ok()) return status;
        hooks.on_epoch(*this);
      }
      hooks.on_step(*this);
      if ((*stopped = hooks.stop())) return absl::OkStatus();
    } while (state_.step_in_epoch > 0);
  }
  return absl::OkStatus();
}

Pass Trainer::EpochPass(int64_t epoch) const {
  const std::vector<Segment>& parts = dataset_.segments(fitted_part());
  Pass pass;
  for (uint64_t round = 0; static_cast<int64_t>(pass.size()) < steps_per_epoch(); ++round) {
    const uint64_t seed = MixBits(options_.seed + MixBits(epoch * 1000003 + round));
    Pass more = PlanPass(options_.carry_state ? CarriedPieces(parts, options_.window, options_.batch_size, seed)
                                              : ShuffledWindows(parts, options_.window, seed),
                         options_.window, options_.batch_size);
    pass.insert(pass.end(), more.begin(), more.end());
  }
  return pass;
}

void Trainer::ClearFreshLanes(absl::Span<const Window> windows, std::vector<float>& state) const {
  const int64_t hidden = shape_.hidden_size, lanes = options_.batch_size;
  const int64_t blocks = state.size() / (hidden * lanes);
  for (int64_t n = 0; n < lanes; ++n) {
    if (!windows[n].fresh) continue;
    for (int64_t block = 0; block < blocks; ++block) {
      std::fill_n(state.begin() + (block * lanes + n) * hidden, hidden, 0.0f);
    }
  }
}

absl::Status Trainer::Step(absl::Span<const Window> windows) {
  ClearFreshLanes(windows, state_.carried);
  dataset_.Fill(windows, options_.window, &batch_);
  const absl::StatusOr<double> loss =
      backprop_->LossAndGradient(batch_, state_.parameters, MixBits(options_.seed) + state_.optimizer.step,
                                 absl::MakeSpan(state_.carried), absl::MakeSpan(gradient_));
  if (!loss.ok()) return loss.status();
  const double norm = ClipByGlobalNorm(options_.clip_norm, absl::MakeSpan(gradient_));
  if (!std::isfinite(*loss) || !std::isfinite(norm)) {
    return absl::AbortedError(absl::StrCat("the run diverged in step ", state_.optimizer.step + 1, ": the loss is ",
                                           *loss, ", the gradient's norm ", norm,
                                           "; a smaller --learning_rate or --clip_norm helps"));
  }
  optimizer_.Step(gradient_, learning_rate(), &state_.optimizer, absl::MakeSpan(state_.parameters));
  state_.loss_sum += *loss;
  ++state_.step_in_epoch;
  return absl::OkStatus();
}

absl::Status Trainer::EndEpoch() {
  std::fill(state_.carried.begin(), state_.carried.end(), 0.0f);
  if (state_.refit_epochs > 0) {  // a run that nothing is left to judge by
    ++state_.epoch;
    state_.loss_sum = 0;
    state_.step_in_epoch = 0;
    if (complete()) state_.best_parameters = state_.parameters;
    return absl::OkStatus();
  }
  const absl::StatusOr<double> loss = ValidationLoss();
  if (!loss.ok()) return loss.status();
  return state_.EndEpoch(state_.loss_sum / static_cast<double>(steps_per_epoch()), *loss, &rate_);
}

absl::StatusOr<double> Trainer::ValidationLoss() {
  double sum = 0, count = 0;
  const absl::Status status = ForEachValidated(state_.parameters, [&](const ValidatedTimestep& at) {
    sum += at.loss;
    ++count;
  });
  if (!status.ok()) return status;
  return sum / count;
}

absl::Status Trainer::ForEachValidated(absl::Span<const float> parameters,
                                       const std::function<void(const ValidatedTimestep&)>& visit) {
  const int64_t warmup = 2 * options_.window;
  const Pass pass = PlanPass(ScoredPieces(dataset_.segments(Dataset::kValidation), warmup, options_.batch_size),
                             options_.window, options_.batch_size);
  std::vector<float> state(backprop_->state_size()), gradient(shape_.head_size);
  for (const std::vector<Window>& windows : pass) {
    ClearFreshLanes(windows, state);
    dataset_.Fill(windows, options_.window, &batch_);
    const auto loss = backprop_->LossOnly(batch_, parameters, absl::MakeSpan(state));
    if (!loss.ok()) return loss.status();
    const size_t head = shape_.head_size, width = batch_.targets.size() / batch_.mask.size();
    const absl::Span<const float> targets = batch_.targets, mask = batch_.mask;
    for (size_t row = 0; row < mask.size(); ++row) {
      if (mask[row] == 0) continue;
      const absl::Span<const float> prediction = backprop_->predictions().subspan(row * head, head);
      const double row_loss = MeanLoss(options_.loss, prediction, targets.subspan(row * width, width),
                                       mask.subspan(row, 1), absl::MakeSpan(gradient));
      visit({row_loss, prediction, gradient});
    }
  }
  return absl::OkStatus();
}

// Does the test of Clark and West (2007) for nested forecasts, which for a squared error asks whether the initial error
// and the learnt correction go together. Comparing the two losses themselves has half the power, since the correction's
// own noise counts against it.
absl::Status Trainer::KeepInitialUnlessBeaten() {
  const std::vector<float> start = FirstParameters(options_, shape_);
  std::vector<float> before, slopes;
  absl::Status status = ForEachValidated(start, [&](const ValidatedTimestep& at) {
    before.insert(before.end(), at.prediction.begin(), at.prediction.end());
    slopes.insert(slopes.end(), at.gradient.begin(), at.gradient.end());
  });
  if (!status.ok()) return status;
  size_t next = 0;
  std::vector<double> gains;  // to first order, of moving each prediction from the initial to the learnt one
  status = ForEachValidated(state_.best_parameters, [&](const ValidatedTimestep& at) {
    double gain = 0;
    for (const float prediction : at.prediction) {
      gain -= slopes[next] * (prediction - before[next]);
      ++next;
    }
    gains.push_back(gain);
  });
  if (!status.ok()) return status;
  const double count = gains.size(), mean = std::accumulate(gains.begin(), gains.end(), 0.0) / count;
  double squares = 0;
  for (const double gain : gains) squares += (gain - mean) * (gain - mean);
  if (mean > kSignificantDeviations * std::sqrt(squares) / count) return absl::OkStatus();
  state_.best_parameters = start;
  state_.best_loss = state_.validation_losses[0];
  state_.best_epoch = 0;
  state_.refused = true;
  return absl::OkStatus();
}

}  // namespace rondo::train
