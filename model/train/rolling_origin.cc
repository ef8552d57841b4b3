#include "model/train/rolling_origin.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace rondo::train {
namespace {

constexpr int64_t kMostFolds = 3;  // before the validation part
// Longer parts need no folds, and would make them slow.
constexpr int64_t kLongestSeries = 600, kMostFoldTimesteps = 3000;
constexpr int64_t kEnoughStretches = 40;  // of a validation part, each as long as the horizon
constexpr int64_t kLeastRows = 10;        // to learn from

}  // namespace

double Sum(const std::vector<double>& errors) { return std::accumulate(errors.begin(), errors.end(), 0.0); }

std::vector<Fold> EarlierFolds(const Dataset& dataset) {
  std::vector<Fold> folds;
  const int64_t horizon = dataset.spec().horizon;
  if (dataset.longest_segment(Dataset::kTraining) > kLongestSeries ||
      dataset.timesteps(Dataset::kTraining) > kMostFoldTimesteps ||
      dataset.longest_segment(Dataset::kValidation) >= kEnoughStretches * horizon) {
    return folds;
  }
  for (int64_t back = kMostFolds; back > 0; --back) {
    Fold fold;
    for (const Segment& part : dataset.segments(Dataset::kValidation)) {
      // The rows that the part's targets lie in begin one timestep after its first one.
      const int64_t rows = part.end + horizon - part.begin - 1;
      const int64_t first = part.begin + 1 - back * rows, end = first + rows;
      if (first < std::min(rows, kLeastRows) + horizon) continue;
      fold.validation.push_back({part.series, first - 1, first - 1, end - horizon});
      fold.before.push_back({part.series, 0, 0, first - horizon});
      fold.around.push_back(fold.before.back());
      fold.around.push_back({part.series, end - 1, end - 1, part.end});
    }
    if (!fold.validation.empty()) folds.push_back(std::move(fold));
  }
  return folds;
}

double ErrorOverFolds(const std::vector<double>& errors, const std::vector<double>& of_other) {
  constexpr double kLeastPart = 0.25;  // of the mean
  const size_t folds = std::min(errors.size(), of_other.size());
  double mean = 0, sum = 0, weights = 0;
  for (size_t i = 0; i < folds; ++i) mean += of_other[i] / static_cast<double>(folds);
  for (size_t i = 0; i < folds && mean > 0; ++i) {
    const double weight = i + 1 == folds && folds > 1 ? static_cast<double>(folds - 1) : 1;
    sum += weight * errors[i] / std::max(of_other[i], kLeastPart * mean);
    weights += weight;
  }
  return weights > 0 ? sum / weights : 0;
}

double ClearlyLess(const Dataset& dataset) {
  constexpr double kSquaredTest = 10, kLeast = 0.6;
  const auto timesteps = static_cast<double>(dataset.timesteps(Dataset::kTraining));
  return std::max(kLeast, 1 - kSquaredTest * static_cast<double>(dataset.spec().horizon) / timesteps);
}

}  // namespace rondo::train
