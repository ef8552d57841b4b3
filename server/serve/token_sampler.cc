#include "server/serve/token_sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/invalid.h"
#include "base/mix_bits.h"

namespace rondo {
namespace {

constexpr double kMaxTemperature = 100;
constexpr double kMaxPenalty = 100;

uint64_t Mixed(uint64_t x) { return MixBits(x + kMixStep); }

}  // namespace

absl::Status CheckSampling(const SamplingRules& rules) {
  if (!(rules.temperature >= 0 && rules.temperature <= kMaxTemperature)) {
    return Invalid("temperature is ", rules.temperature, "; wanted 0 to ", kMaxTemperature);
  }
  if (rules.top_k < 0) return Invalid("top_k is ", rules.top_k, "; wanted 1 or more, or 0 for all tokens");
  if (!(rules.top_p > 0 && rules.top_p <= 1)) {
    return Invalid("top_p is ", rules.top_p, "; wanted more than 0 and at most 1");
  }
  if (!(rules.repetition_penalty >= 1 && rules.repetition_penalty <= kMaxPenalty)) {
    return Invalid("repetition_penalty is ", rules.repetition_penalty, "; wanted 1 to ", kMaxPenalty);
  }
  return absl::OkStatus();
}

TokenSampler::TokenSampler(const SamplingRules& rules, size_t tokens)
    : rules_(rules), weights_(tokens), seen_(tokens, false) {
  const bool keeps_all = rules.top_p == 1 && (rules.top_k == 0 || static_cast<size_t>(rules.top_k) >= tokens);
  if (!keeps_all) order_.resize(tokens);
}

size_t TokenSampler::Choose(absl::Span<const float> probabilities, int64_t position) {
  Weigh(probabilities);
  if (rules_.temperature == 0) {
    return static_cast<size_t>(std::max_element(weights_.begin(), weights_.end()) - weights_.begin());
  }
  return order_.empty() ? ChooseOfAll(Random(position)) : ChooseOfTop(Random(position));
}

void TokenSampler::Weigh(absl::Span<const float> probabilities) {
  const bool greedy = rules_.temperature == 0;
  if (rules_.repetition_penalty == 1 && (greedy || rules_.temperature == 1)) {
    std::copy(probabilities.begin(), probabilities.end(), weights_.begin());
    return;
  }
  float most = -std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < weights_.size(); ++i) {
    const double penalty = seen_[i] ? rules_.repetition_penalty : 1;
    weights_[i] = static_cast<float>(std::log(static_cast<double>(probabilities[i])) * penalty);
    most = std::max(most, weights_[i]);
  }
  if (greedy) return;
  for (float& weight : weights_) {
    weight = static_cast<float>(std::exp(static_cast<double>(weight - most) / rules_.temperature));
  }
}

double TokenSampler::Random(int64_t position) const {
  const uint64_t bits = Mixed(rules_.seed + Mixed(static_cast<uint64_t>(position)));
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

size_t TokenSampler::ChooseOfAll(double random) const {
  const double total = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  double left = random * total;
  size_t last = 0;
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (!(weights_[i] > 0)) continue;
    last = i;
    left -= static_cast<double>(weights_[i]);
    if (left < 0) break;
  }
  return last;
}

size_t TokenSampler::ChooseOfTop(double random) {
  const auto is_behind = [this](uint32_t a, uint32_t b) { return IsBefore(b, a); };
  std::iota(order_.begin(), order_.end(), 0u);
  std::make_heap(order_.begin(), order_.end(), is_behind);
  const size_t count = order_.size();
  const size_t most = rules_.top_k == 0 ? count : std::min(count, static_cast<size_t>(rules_.top_k));
  double total = most == count ? std::accumulate(weights_.begin(), weights_.end(), 0.0) : 0;
  const auto heap_end = [this](size_t taken) { return order_.end() - static_cast<std::ptrdiff_t>(taken); };
  // The tokens that are kept stand at the end, the most probable one last.
  size_t taken = 0;
  double sum = 0;
  while (taken < most && (most < count || taken == 0 || sum < rules_.top_p * total)) {
    std::pop_heap(order_.begin(), heap_end(taken), is_behind);
    sum += static_cast<double>(weights_[order_[count - ++taken]]);
  }
  if (most < count) total = sum;
  double kept = 0;
  size_t keeps = 0;
  while (keeps < taken && (keeps == 0 || kept < rules_.top_p * total)) {
    kept += static_cast<double>(weights_[order_[count - ++keeps]]);
  }
  double left = random * kept;
  for (size_t i = 1; i < keeps; ++i) {
    left -= static_cast<double>(weights_[order_[count - i]]);
    if (left < 0) return order_[count - i];
  }
  return order_[count - keeps];
}

}  // namespace rondo
