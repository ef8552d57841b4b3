#include "model/train/labelled_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/invalid.h"
#include "model/train/checkpoint.h"
#include "model/train/random.h"

namespace rondo::train {
namespace {

template <typename T>
void Shuffle(Random& random, std::vector<T>* items) {
  for (size_t i = items->size(); i > 1; --i) {
    std::swap((*items)[i - 1], (*items)[static_cast<size_t>(random.Below(static_cast<int64_t>(i)))]);
  }
}

absl::Status WeighsNothing(absl::string_view part) {
  return Invalid("no label of the ", part,
                 " part weighs anything; wanted one or more of a class that does: "
                 "with balanced classes, of one that is in the training part");
}

}  // namespace

LabelledTrainer::LabelledTrainer(const LabelledData& data, const NetworkShape& shape, const LearningOptions& options,
                                 size_t most_buffer_bytes)
    : data_(data),
      shape_(shape),
      options_(options),
      layout_(shape),
      optimizer_(layout_, OptimizerOptions(options)),
      rate_(RateOptions(options, static_cast<int64_t>(Steps(LabelledData::kTraining, 0).size()))),
      most_buffer_bytes_(most_buffer_bytes),
      gradient_(layout_.size()) {
  state_.parameters = state_.best_parameters = FirstParameters(options, shape);
  state_.optimizer = optimizer_.InitialState();
  state_.best_loss = std::numeric_limits<double>::infinity();
}

absl::Status LabelledTrainer::Resume(LearningState state) {
  if (absl::Status status = CheckSizes(state, layout_.size()); !status.ok()) return status;
  const auto steps = static_cast<int64_t>(Steps(LabelledData::kTraining, 0).size());
  const auto epochs = static_cast<int64_t>(state.training_losses.size());
  if (state.epoch != epochs || state.validation_losses.size() != state.training_losses.size() ||
      epochs > options_.epochs || state.best_epoch < 0 || state.best_epoch > epochs || state.step_in_epoch < 0 ||
      state.step_in_epoch >= steps) {
    return absl::InvalidArgumentError("the checkpoint is of a run with other epochs");
  }
  state_ = std::move(state);
  rate_.set_state(state_.rate);
  return absl::OkStatus();
}

absl::Status LabelledTrainer::Run(const Hooks& hooks) {
  bool stopped = false;
  while (!complete()) {
    if (absl::Status status = TrainEpoch(hooks, &stopped); !status.ok() || stopped) return status;
    if (!hooks.on_epoch(progress())) break;
    if (!hooks.on_step(*this)) break;
  }
  return absl::OkStatus();
}

bool LabelledTrainer::complete() const {
  return state_.epoch >= options_.epochs ||
         (options_.patience > 0 && state_.epoch - state_.best_epoch >= options_.patience);
}

LabelledProgress LabelledTrainer::progress() const {
  LabelledProgress at;
  at.epoch = state_.epoch;
  at.steps = state_.optimizer.step;
  at.training_loss = state_.training_losses.empty() ? 0 : state_.training_losses.back();
  at.validation_loss = state_.validation_losses.empty() ? 0 : state_.validation_losses.back();
  at.learning_rate = rate_.At(state_.optimizer.step);
  at.best_epoch = state_.best_epoch;
  return at;
}

std::vector<LabelledTrainer::Lanes> LabelledTrainer::Steps(LabelledData::Part part, uint64_t seed) const {
  Random random(seed);
  Lanes order = data_.parts[part];
  Shuffle(random, &order);
  std::stable_sort(order.begin(), order.end(),
                   [this](size_t a, size_t b) { return PaddedLengthOf(a) < PaddedLengthOf(b); });
  std::vector<Lanes> steps;
  for (const size_t sequence : order) {
    const bool joins = !steps.empty() && steps.back().size() < static_cast<size_t>(options_.batch_size) &&
                       PaddedLengthOf(steps.back().front()) == PaddedLengthOf(sequence);
    if (!joins) steps.emplace_back();
    steps.back().push_back(sequence);
  }
  Shuffle(random, &steps);
  return steps;
}

size_t LabelledTrainer::PaddedLengthOf(size_t sequence) const {
  const size_t timesteps = data_.sequences[sequence].timesteps;
  // Sizes are a quarter of a power of two apart: at most a fifth of a step is padding.
  size_t quarter = 1;
  while (quarter * 8 < timesteps) quarter *= 2;
  return (timesteps + quarter - 1) / quarter * quarter;
}

absl::StatusOr<Backprop*> LabelledTrainer::LayersOf(size_t timesteps) {
  const auto kept =
      std::find_if(layers_.begin(), layers_.end(), [=](const Layers& each) { return each.timesteps == timesteps; });
  if (kept != layers_.end()) {
    layers_.splice(layers_.begin(), layers_, kept);
    return kept->backprop.get();
  }
  const Backprop::Options options = {static_cast<int64_t>(timesteps), options_.batch_size, options_.loss,
                                     options_.dropout};
  const size_t bytes = Backprop::BufferBytes(shape_, options);
  while (!layers_.empty() && buffer_bytes_ + bytes > most_buffer_bytes_) {
    buffer_bytes_ -= layers_.back().bytes;
    layers_.pop_back();
  }
  auto made = Backprop::Create(shape_, options);
  if (!made.ok()) return made.status();
  buffer_bytes_ += bytes;
  layers_.push_front({timesteps, bytes, *std::move(made)});
  return layers_.front().backprop.get();
}

double LabelledTrainer::WeightOf(const Lanes& lanes) const {
  double weight = 0;
  for (const size_t sequence : lanes) {
    for (const int32_t label : data_.sequences[sequence].labels) {
      if (label != kNoLabel) weight += options_.loss.WeightOf(label);
    }
  }
  return weight;
}

absl::StatusOr<Backprop*> LabelledTrainer::Load(const Lanes& lanes) {
  const size_t timesteps = PaddedLengthOf(lanes.front());
  const auto width = static_cast<size_t>(options_.batch_size);
  const size_t rows = timesteps * width;
  batch_.mask.assign(rows, 0.0f);
  batch_.targets.assign(rows, 0.0f);
  batch_.lengths.assign(width, 0);
  batch_.tokens.assign(shape_.tokens > 0 ? rows : 0, 0);
  batch_.features.assign(shape_.tokens > 0 ? 0 : rows * static_cast<size_t>(shape_.input_size), 0.0f);
  for (size_t lane = 0; lane < lanes.size(); ++lane) {
    const LabelledSequence& sequence = data_.sequences[lanes[lane]];
    batch_.lengths[lane] = static_cast<int64_t>(sequence.timesteps);
    for (size_t t = 0; t < sequence.timesteps; ++t) FillTimestep(sequence, t, t * width + lane);
    const bool one = data_.task == Task::kClassify;
    for (size_t k = 0; k < sequence.labels.size(); ++k) {
      if (sequence.labels[k] == kNoLabel) continue;
      const size_t row = (one ? sequence.timesteps - 1 : k) * width + lane;
      batch_.targets[row] = static_cast<float>(sequence.labels[k]);
      batch_.mask[row] = 1;
    }
  }
  return LayersOf(timesteps);
}

void LabelledTrainer::FillTimestep(const LabelledSequence& sequence, size_t timestep, size_t row) {
  if (shape_.tokens > 0) {
    batch_.tokens[row] = static_cast<int32_t>(sequence.inputs[timestep]);
    return;
  }
  const auto width = static_cast<size_t>(shape_.input_size);
  for (size_t i = 0; i < width; ++i) {
    const InputFeature& input = data_.spec.inputs[i];
    batch_.features[row * width + i] =
        static_cast<float>((sequence.inputs[timestep * width + i] - input.mean) / input.std);
  }
}

absl::Status LabelledTrainer::TrainStep(const Lanes& lanes) {
  const absl::StatusOr<Backprop*> layers = Load(lanes);
  if (!layers.ok()) return layers.status();
  std::vector<float> zeros((*layers)->state_size());
  const auto loss = (*layers)->LossAndGradient(batch_, state_.parameters,
                                               MixBits(options_.seed) + static_cast<uint64_t>(state_.optimizer.step),
                                               absl::MakeSpan(zeros), absl::MakeSpan(gradient_));
  if (!loss.ok()) return loss.status();
  const double norm = ClipByGlobalNorm(options_.clip_norm, absl::MakeSpan(gradient_));
  if (!std::isfinite(*loss) || !std::isfinite(norm)) {
    return absl::AbortedError(absl::StrCat("the run diverged in epoch ", state_.epoch + 1, ": the loss is ", *loss,
                                           "; a smaller --learning_rate or --clip_norm helps"));
  }
  optimizer_.Step(gradient_, rate_.At(state_.optimizer.step), &state_.optimizer, absl::MakeSpan(state_.parameters));
  state_.loss_sum += *loss * WeightOf(lanes);
  return absl::OkStatus();
}

absl::Status LabelledTrainer::TrainEpoch(const Hooks& hooks, bool* stopped) {
  const std::vector<Lanes> steps =
      Steps(LabelledData::kTraining, MixBits(options_.seed + static_cast<uint64_t>(state_.epoch) + 1));
  const int64_t first = state_.step_in_epoch;  // of a run that goes on, those before it are done
  double weights = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(steps.size()); ++i) {
    const double weight = WeightOf(steps[i]);
    weights += weight;
    if (i < first || weight == 0) continue;
    if (absl::Status status = TrainStep(steps[i]); !status.ok()) return status;
    if (i + 1 == static_cast<int64_t>(steps.size())) break;
    state_.step_in_epoch = i + 1;
    if ((*stopped = !hooks.on_step(*this))) return absl::OkStatus();
  }
  if (weights == 0) return WeighsNothing("training");
  return EndEpoch(state_.loss_sum / weights);
}

absl::Status LabelledTrainer::EndEpoch(double training_loss) {
  const absl::StatusOr<double> loss = ValidationLoss();
  if (!loss.ok()) return loss.status();
  return state_.EndEpoch(training_loss, *loss, &rate_);
}

absl::StatusOr<double> LabelledTrainer::ValidationLoss() {
  double sum = 0, weights = 0;
  for (const Lanes& lanes : Steps(LabelledData::kValidation, 0)) {
    const double weight = WeightOf(lanes);
    if (weight == 0) continue;
    const absl::StatusOr<Backprop*> layers = Load(lanes);
    if (!layers.ok()) return layers.status();
    std::vector<float> zeros((*layers)->state_size());
    const absl::StatusOr<double> loss = (*layers)->LossOnly(batch_, state_.parameters, absl::MakeSpan(zeros));
    if (!loss.ok()) return loss.status();
    sum += *loss * weight;
    weights += weight;
  }
  if (weights == 0) return WeighsNothing("validation");
  return sum / weights;
}

}  // namespace rondo::train
