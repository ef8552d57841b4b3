#include "model/train/optimizer.h"

#include <algorithm>
#include <cmath>

namespace rondo::train {
namespace {

constexpr double kPi = 3.141592653589793;
constexpr double kSmallestFactor = 0.01;

}  // namespace

double ClipByGlobalNorm(double max_norm, absl::Span<float> gradient) {
  double squares = 0;
  for (float g : gradient) squares += static_cast<double>(g) * g;
  const double norm = std::sqrt(squares);
  if (max_norm > 0 && norm > max_norm) {
    const float scale = static_cast<float>(max_norm / norm);
    for (float& g : gradient) g *= scale;
  }
  return norm;
}

AdamW::AdamW(const ParameterLayout& layout, const Options& options)
    : size_(layout.size()), matrices_(layout.Matrices()), options_(options) {}

AdamW::State AdamW::InitialState() const { return {0, std::vector<float>(size_), std::vector<float>(size_)}; }

void AdamW::Step(absl::Span<const float> gradient, double learning_rate, State* state,
                 absl::Span<float> parameters) const {
  ++state->step;
  const float kept = static_cast<float>(1 - learning_rate * options_.weight_decay);
  for (const ParameterLayout::Range& range : matrices_) {
    for (float& parameter : Slice(parameters, range)) parameter *= kept;
  }
  const auto beta1 = static_cast<float>(options_.beta1), beta2 = static_cast<float>(options_.beta2);
  const double correction1 = 1 - std::pow(options_.beta1, state->step);
  const double correction2 = 1 - std::pow(options_.beta2, state->step);
  const auto rate = static_cast<float>(learning_rate / correction1);
  const auto root = static_cast<float>(1 / std::sqrt(correction2));
  const auto epsilon = static_cast<float>(options_.epsilon);
  float* first = state->first_moment.data();
  float* second = state->second_moment.data();
  for (size_t i = 0; i < parameters.size(); ++i) {
    first[i] = beta1 * first[i] + (1 - beta1) * gradient[i];
    second[i] = beta2 * second[i] + (1 - beta2) * gradient[i] * gradient[i];
    parameters[i] -= rate * first[i] / (std::sqrt(second[i]) * root + epsilon);
  }
}

double LearningRate::At(int64_t step) const {
  double rate = options_.peak;
  if (options_.decay == Decay::kPlateau) rate *= state_.plateau_factor;
  if (step < options_.warmup_steps) return rate * (step + 1) / (options_.warmup_steps + 1);
  if (options_.decay != Decay::kCosine) return rate;
  const double span = std::max<int64_t>(1, options_.total_steps - options_.warmup_steps);
  const double done = std::min(1.0, (step - options_.warmup_steps) / span);
  return rate * (kSmallestFactor + (1 - kSmallestFactor) * (1 + std::cos(kPi * done)) / 2);
}

void LearningRate::EndEpoch(bool better) {
  state_.epochs_without_gain = better ? 0 : state_.epochs_without_gain + 1;
  if (state_.epochs_without_gain < options_.plateau_patience) return;
  state_.epochs_without_gain = 0;
  state_.plateau_factor = std::max(kSmallestFactor, state_.plateau_factor / 2);
}

}  // namespace rondo::train
