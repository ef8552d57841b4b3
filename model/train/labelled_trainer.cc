#include "model/train/labelled_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "model/train/random.h"

namespace rondo::train {
namespace {

template <typename T>
void Shuffle(Random& random, std::vector<T>* items) {
  for (size_t i = items->size(); i > 1; --i) {
    std::swap((*items)[i - 1], (*items)[static_cast<size_t>(random.Below(static_cast<int64_t>(i)))]);
  }
}

}  // namespace

LabelledTrainer::LabelledTrainer(const LabelledData& data, const NetworkShape& shape, const LearningOptions& options)
    : data_(data),
      shape_(shape),
      options_(options),
      layout_(shape),
      optimizer_(layout_, OptimizerOptions(options)),
      rate_(RateOptions(options, static_cast<int64_t>(Steps(LabelledData::kTraining, 0).size()))),
      state_(optimizer_.InitialState()),
      parameters_(FirstParameters(options, shape)),
      best_parameters_(parameters_),
      gradient_(layout_.size()) {}

absl::Status LabelledTrainer::Run(const std::function<bool(const LabelledProgress&)>& on_epoch) {
  double best = std::numeric_limits<double>::infinity();
  for (int64_t epoch = 1; epoch <= options_.epochs; ++epoch) {
    const auto training_loss = TrainEpoch(epoch);
    if (!training_loss.ok()) return training_loss.status();
    const auto validation_loss = ValidationLoss();
    if (!validation_loss.ok()) return validation_loss.status();
    const bool better = *validation_loss < best;
    if (better) {
      best = *validation_loss;
      best_parameters_ = parameters_;
      progress_.best_epoch = epoch;
    }
    rate_.EndEpoch(better);
    training_losses_.push_back(*training_loss);
    validation_losses_.push_back(*validation_loss);
    progress_.epoch = epoch;
    progress_.training_loss = *training_loss;
    progress_.validation_loss = *validation_loss;
    const bool patient = options_.patience == 0 || epoch - progress_.best_epoch < options_.patience;
    if (!on_epoch(progress_) || !patient) break;
  }
  return absl::OkStatus();
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
  std::unique_ptr<Backprop>& layers = layers_[timesteps];
  if (layers == nullptr) {
    auto made = Backprop::Create(
        shape_, {static_cast<int64_t>(timesteps), options_.batch_size, options_.loss, options_.dropout});
    if (!made.ok()) return made.status();
    layers = *std::move(made);
  }
  return layers.get();
}

double LabelledTrainer::Fill(const Lanes& lanes, size_t timesteps) {
  const auto width = static_cast<size_t>(options_.batch_size);
  const size_t rows = timesteps * width;
  batch_.mask.assign(rows, 0.0f);
  batch_.targets.assign(rows, 0.0f);
  batch_.tokens.assign(shape_.tokens > 0 ? rows : 0, 0);
  batch_.features.assign(shape_.tokens > 0 ? 0 : rows * static_cast<size_t>(shape_.input_size), 0.0f);
  double weight = 0;
  for (size_t lane = 0; lane < lanes.size(); ++lane) {
    const LabelledSequence& sequence = data_.sequences[lanes[lane]];
    for (size_t t = 0; t < sequence.timesteps; ++t) FillTimestep(sequence, t, t * width + lane);
    const bool one = data_.task == Task::kClassify;
    for (size_t k = 0; k < sequence.labels.size(); ++k) {
      if (sequence.labels[k] == kNoLabel) continue;
      const size_t row = (one ? sequence.timesteps - 1 : k) * width + lane;
      batch_.targets[row] = static_cast<float>(sequence.labels[k]);
      batch_.mask[row] = 1;
      weight += options_.loss.WeightOf(sequence.labels[k]);
    }
  }
  return weight;
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

absl::StatusOr<double> LabelledTrainer::MeanLoss(LabelledData::Part part, uint64_t seed, const LossOfStep& loss_of) {
  double sum = 0, weights = 0;
  for (const Lanes& lanes : Steps(part, seed)) {
    const size_t timesteps = PaddedLengthOf(lanes.front());
    const absl::StatusOr<Backprop*> layers = LayersOf(timesteps);
    if (!layers.ok()) return layers.status();
    const double weight = Fill(lanes, timesteps);
    if (weight == 0) continue;
    std::vector<float> state((*layers)->state_size());
    const absl::StatusOr<double> loss = loss_of(**layers, absl::MakeSpan(state));
    if (!loss.ok()) return loss.status();
    sum += *loss * weight;
    weights += weight;
  }
  if (weights > 0) return sum / weights;
  return Invalid("no label of the ", part == LabelledData::kTraining ? "training" : "validation",
                 " part weighs anything; wanted one or more of a class that does: "
                 "with balanced classes, of one that is in the training part");
}

absl::StatusOr<double> LabelledTrainer::TrainStep(int64_t epoch, Backprop& layers, absl::Span<float> state) {
  const auto loss =
      layers.LossAndGradient(batch_, parameters_, MixBits(options_.seed) + static_cast<uint64_t>(state_.step), state,
                             absl::MakeSpan(gradient_));
  if (!loss.ok()) return loss.status();
  const double norm = ClipByGlobalNorm(options_.clip_norm, absl::MakeSpan(gradient_));
  if (!std::isfinite(*loss) || !std::isfinite(norm)) {
    return absl::AbortedError(absl::StrCat("the run diverged in epoch ", epoch, ": the loss is ", *loss,
                                           "; a smaller --learning_rate or --clip_norm helps"));
  }
  progress_.learning_rate = rate_.At(state_.step);
  optimizer_.Step(gradient_, progress_.learning_rate, &state_, absl::MakeSpan(parameters_));
  ++progress_.steps;
  return *loss;
}

absl::StatusOr<double> LabelledTrainer::TrainEpoch(int64_t epoch) {
  return MeanLoss(LabelledData::kTraining, MixBits(options_.seed + static_cast<uint64_t>(epoch)),
                  [&](Backprop& layers, absl::Span<float> state) { return TrainStep(epoch, layers, state); });
}

absl::StatusOr<double> LabelledTrainer::ValidationLoss() {
  return MeanLoss(LabelledData::kValidation, 0, [this](Backprop& layers, absl::Span<float> state) {
    return layers.LossOnly(batch_, parameters_, state);
  });
}

}  // namespace rondo::train
