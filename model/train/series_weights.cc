#include "model/train/series_weights.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "model/train/season.h"

namespace rondo::train {
namespace {

// Returns the mean squared error of the value one season before, or of the value now (0), one step ahead and at the
// horizon.
double NaiveError(const Dataset& dataset, const Segment& part, int64_t season) {
  const ModelSpec& spec = dataset.spec();
  double sum = 0, count = 0;
  for (int64_t t = part.begin; t < part.end; ++t) {
    for (size_t output = 0; output < spec.outputs.size(); ++output) {
      const size_t column = dataset.target_column(output);
      for (const int64_t ahead : {int64_t{1}, spec.horizon}) {
        const int64_t before = season == 0 ? t : t + ahead - (ahead + season - 1) / season * season;
        if (before < part.begin || !dataset.present(part.series, t + ahead, column)) continue;
        const double change =
            dataset.value(part.series, t + ahead, column) - dataset.value(part.series, before, column);
        const double error = change / spec.outputs[output].std;
        sum += error * error;
        ++count;
      }
    }
  }
  return count > 0 ? sum / count : HUGE_VAL;
}

}  // namespace

std::vector<double> SeriesWeights(const Dataset& dataset) {
  constexpr double kMostDistant = 100;  // a series that is told nearly without error does not count for all others
  const size_t series = dataset.set().series.size();
  if (series < 2 || dataset.spec().tokens > 0) return {};
  std::vector<int64_t> seasons = SeasonsOf(dataset.set().format.step);
  seasons.push_back(0);
  std::vector<double> weights(series, 0);
  double largest = 0, squares = 0, count = 0;
  for (const Segment& part : dataset.segments(Dataset::kTraining)) {
    double least = HUGE_VAL;
    for (const int64_t season : seasons) least = std::min(least, NaiveError(dataset, part, season));
    largest = std::max(largest, weights[part.series] = std::isfinite(least) ? std::sqrt(least) : 0);
  }
  for (double& weight : weights)
    weight = largest > 0 ? 1 / std::max(weight > 0 ? weight : largest, largest / kMostDistant) : 1;
  for (const Segment& part : dataset.segments(Dataset::kTraining)) {
    squares += weights[part.series] * weights[part.series];
    ++count;
  }
  for (double& weight : weights) weight /= std::sqrt(squares / std::max(1.0, count));
  return weights;
}

}  // namespace rondo::train
