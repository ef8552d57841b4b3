#include "model/train/ladder_part.h"

#include <algorithm>
#include <cstdint>

#include "model/train/linear_network.h"
#include "model/train/linear_rows.h"

namespace rondo::train {
namespace {

constexpr size_t kMostSeries = 256, kMostNameBytes = 64;  // as of --categories
constexpr int64_t kMostCells = int64_t{1} << 27;          // of the inputs of the series; each takes 9 bytes
constexpr double kMostWeights = 1 << 22;
constexpr double kMostPassProducts = 5e10;  // of a pass over all timesteps before the test part; there are a dozen
constexpr double kMostSolving = 5e10;       // products to solve for the layers of one length of window
constexpr double kSolutions = 24;           // that are compared for each of those layers
constexpr int64_t kLongestWindow = 512;

// Returns the longest window that a linear network of each series may have without being too large or taking too long
// to be fitted; 0: not even one of 1 value. REQUIRES: CanBeLinear(dataset, kind).
int64_t LongestWindow(const Dataset& dataset, LinearKind kind, const LinearOptions& options) {
  const auto timesteps = static_cast<double>(dataset.timesteps(Dataset::kTrainingAndValidation));
  const auto series = static_cast<double>(dataset.set().series.size());
  const auto fits = [&](int64_t length) {
    const LinearRows rows(dataset, kind, length);
    const auto features = static_cast<double>(rows.features());
    const double layers = series * static_cast<double>(rows.own() ? rows.num_outputs() : 1);  // of the network
    const double weights = layers * features * static_cast<double>(rows.targets());
    const double solutions = series * static_cast<double>(options.folds.size() + 1) * kSolutions;
    const double solving = solutions * features * features * features / 3;
    return weights <= kMostWeights && weights * timesteps <= kMostPassProducts && solving <= kMostSolving;
  };
  int64_t longest = std::max(kLongestWindow, options.window_inputs);
  while (longest > 0 && !fits(longest)) --longest;
  return longest;
}

}  // namespace

bool CanKnowSeries(const Dataset& dataset) {
  const SeriesSet& set = dataset.set();
  const ModelSpec& spec = dataset.spec();
  const auto is_of_series = [&](const InputFeature& input) { return input.source.column == set.format.series_column; };
  int64_t cells = 0;
  for (const Series& series : set.series) cells += series.timesteps * static_cast<int64_t>(set.series.size());
  return cells <= kMostCells && set.series.size() > 1 && set.series.size() <= kMostSeries &&
         !set.format.series_column.empty() && spec.tokens == 0 &&
         std::none_of(spec.inputs.begin(), spec.inputs.end(), is_of_series) &&
         std::all_of(set.series.begin(), set.series.end(),
                     [](const Series& series) { return !series.name.empty() && series.name.size() <= kMostNameBytes; });
}

std::optional<LadderPart> OfEachSeries(const Dataset& dataset, LinearKind kind, const LinearOptions& options) {
  if (!CanBeLinear(dataset, kind)) return std::nullopt;
  LinearOptions bounded = options;
  bounded.longest = LongestWindow(dataset, kind, options);
  if (bounded.longest < std::max<int64_t>(1, options.window_inputs)) return std::nullopt;
  const std::optional<SeriesLayers> fitted = FitEachSeries(dataset, kind, bounded);
  if (!fitted.has_value()) return std::nullopt;
  LadderPart part;
  part.judged = GraphOf(dataset, kind, fitted->length, fitted->layers);
  part.written = GraphOf(dataset, kind, fitted->length, options.refit ? fitted->refitted : fitted->layers);
  for (const std::vector<LinearLayer>& earlier : fitted->earlier) {
    part.earlier.push_back(GraphOf(dataset, kind, fitted->length, earlier));
  }
  return part;
}

}  // namespace rondo::train
