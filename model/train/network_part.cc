#include "model/train/network_part.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace rondo::train {
namespace {

constexpr double kPriorForecasts = 20;
constexpr double kLeastScale = 0.25;  // of the rule's mean error over the stretches

double Mean(const std::vector<double>& all) {
  return std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
}

bool IsWhole(const StretchLosses& losses) {
  const size_t count = losses.rule.size();
  return count > 0 && losses.network.size() == count && losses.half.size() == count;
}

}  // namespace

double NetworkPart(absl::Span<const StretchLosses> stretches, const Overlap& overlap, double before) {
  double of_rule = 0, whole = 0;
  for (const StretchLosses& losses : stretches) {
    if (!IsWhole(losses)) continue;
    of_rule += Mean(losses.rule);
    ++whole;
  }
  if (!(of_rule > 0)) return 0;
  // Forecasts that overlap err together, and a forecast of many values varies less than one of a single value: it
  // counts as the root of their number, between one and all of them.
  const auto together = static_cast<double>(overlap.leads * overlap.series);
  const double values = std::sqrt(together * static_cast<double>(overlap.outputs));
  double count = 0, network = 0, rule = 0, gain = 0, difference = 0;
  for (const StretchLosses& losses : stretches) {
    if (!IsWhole(losses)) continue;
    const double errs = Mean(losses.network), rule_errs = Mean(losses.rule), half_errs = Mean(losses.half);
    const double forecasts = (static_cast<double>(losses.rule.size()) + together - 1) / together * values;
    const double weight = forecasts / std::max(rule_errs, kLeastScale * of_rule / whole);
    count += forecasts;
    network += weight * errs;
    rule += weight * rule_errs;
    // Let d be the difference of both forecasts and e the rule's error: these are the means of d e and of d d.
    gain += weight * (3 * rule_errs + errs - 4 * half_errs) / 2;
    difference += weight * (2 * rule_errs + 2 * errs - 4 * half_errs);
  }
  const double prior = kPriorForecasts * std::min(network, rule) / count;
  const double sum = difference + prior;
  return sum > 0 ? std::clamp((gain + prior * before) / sum, 0.0, 1.0) : 0;
}

}  // namespace rondo::train
