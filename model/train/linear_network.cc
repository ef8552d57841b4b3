#include "model/train/linear_network.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

namespace rondo::train {
namespace {

constexpr int64_t kMostFeatures = 512;
constexpr double kMostProducts = 1e11;  // of a pass over the training part; longer ones are thinned out
constexpr double kAboutAsGood = 1.05;   // a validation part does not tell errors apart that differ by less
constexpr int64_t kLengths[] = {1, 2, 3, 4, 5, 7, 10, 14, 21, 28, 36, 48, 72, 96, 144, 168, 240, 336, 512};
constexpr double kStrengths[] = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1, 3, 10, 100};

// Fits networks of one kind, length by length.
class Fitter {
 public:
  Fitter(const Dataset& dataset, LinearKind kind, const LinearOptions& options)
      : dataset_(dataset), kind_(kind), options_(options) {}

  // Lists the lengths that are tried, ascending.
  std::set<int64_t> Lengths() const {
    if (options_.window_inputs > 0) return {options_.window_inputs};
    const int64_t inputs = std::max<int64_t>(1, kind_ == LinearKind::kAllWindows ? NumWindowed(dataset_.spec()) : 1);
    const int64_t longest =
        std::max<int64_t>(1, std::min(kMostFeatures / inputs, dataset_.longest_segment(Dataset::kTraining) / 3));
    std::set<int64_t> lengths(std::begin(kLengths), std::end(kLengths));
    if (options_.season > 0) lengths.insert({options_.season + 1, 2 * options_.season + 1});
    lengths.insert(longest);
    lengths.erase(lengths.upper_bound(longest), lengths.end());
    return lengths;
  }

  // Returns the best network of a length. Nothing: there are too few rows, or the fit was stopped.
  std::optional<LinearNetwork> Fit(int64_t length) const {
    const LinearRows rows(dataset_, kind_, length);
    RidgeSums training(rows.features(), rows.targets()), validation(rows.features(), rows.targets());
    if (!SumUp(rows, &training, &validation)) return std::nullopt;
    std::vector<std::vector<double>> draws = {{}};
    for (const bool change : {false, true}) {
      std::vector<double> seasonal = rows.SeasonalWeights(options_.season, change);
      if (!seasonal.empty()) draws.push_back(std::move(seasonal));
    }
    LinearNetwork best;
    size_t draw = 0;
    for (const bool by_feature : {false, true}) {
      for (const double strength : kStrengths) {
        std::vector<LinearLayer> layers = training.Solve({strength, by_feature}, draws);
        for (size_t i = 0; i < layers.size(); ++i) {
          const double error = validation.MeanSquaredError(layers[i]);
          if (best.length > 0 && error >= best.validation_error) continue;
          best = {kind_, length, {strength, by_feature}, error, std::move(layers[i]), {}};
          draw = i;
        }
      }
    }
    if (best.length == 0 || !options_.refit)
      return best.length == 0 ? std::nullopt : std::make_optional(std::move(best));
    training.Add(validation);
    std::vector<LinearLayer> refitted = training.Solve(best.penalty, {draws[draw]});
    best.refitted = refitted.empty() ? best.layer : std::move(refitted[0]);
    return best;
  }

 private:
  // Sums the parts. False: there are too few rows, or the fit was stopped.
  bool SumUp(const LinearRows& rows, RidgeSums* training, RidgeSums* validation) const {
    const double products = static_cast<double>(rows.features()) * static_cast<double>(rows.features()) *
                            static_cast<double>(dataset_.timesteps(Dataset::kTraining)) *
                            static_cast<double>(rows.own() ? rows.num_outputs() : 1);
    const int64_t stride = std::max<int64_t>(1, std::llround(std::ceil(products / kMostProducts)));
    return rows.Add(dataset_.segments(Dataset::kTraining), stride, /*complete=*/true, options_.stop, training) &&
           rows.Add(dataset_.segments(Dataset::kValidation), stride, /*complete=*/false, options_.stop, validation) &&
           training->rows() >= kLeastRows && validation->rows() > 0;
  }

  static constexpr int64_t kLeastRows = 8;

  const Dataset& dataset_;
  const LinearKind kind_;
  const LinearOptions& options_;
};

// Adds a part of a layer to one with a longer window.
void AddWidened(const LinearLayer& from, const LinearRows& rows, double part, const LinearRows& wide, LinearLayer* to) {
  const int64_t windows = rows.features() - (rows.own() ? 0 : rows.num_others());
  const int64_t longer = wide.length() - rows.length();
  to->weight.resize(wide.targets() * wide.features());
  to->bias.resize(wide.targets());
  for (int64_t target = 0; target < rows.targets(); ++target) {
    for (int64_t i = 0; i < rows.features(); ++i) {
      const int64_t place = i < windows ? i + (i / rows.length() + 1) * longer : i + wide.features() - rows.features();
      to->weight[target * wide.features() + place] += part * from.weight[target * rows.features() + i];
    }
    to->bias[target] += part * from.bias[target];
  }
}

// Returns the mean of networks of ascending length, which errs less than they do: a linear layer as they are.
LinearNetwork MeanOf(const Dataset& dataset, absl::Span<const LinearNetwork> networks) {
  LinearNetwork mean = networks.back();
  mean.layer = mean.refitted = {};
  mean.validation_error = 0;
  const LinearRows wide(dataset, mean.kind, mean.length);
  const double part = 1 / static_cast<double>(networks.size());
  for (const LinearNetwork& network : networks) {
    const LinearRows rows(dataset, network.kind, network.length);
    AddWidened(network.layer, rows, part, wide, &mean.layer);
    if (!network.refitted.bias.empty()) AddWidened(network.refitted, rows, part, wide, &mean.refitted);
    mean.validation_error += part * network.validation_error;
  }
  return mean;
}

}  // namespace

std::optional<LinearNetwork> FitLinear(const Dataset& dataset, LinearKind kind, const LinearOptions& options) {
  if (!CanBeLinear(dataset, kind)) return std::nullopt;
  const Fitter fitter(dataset, kind, options);
  std::vector<LinearNetwork> tried;  // the best of each length
  double least = HUGE_VAL;
  for (const int64_t length : fitter.Lengths()) {
    if (options.stop && options.stop()) return std::nullopt;
    std::optional<LinearNetwork> network = fitter.Fit(length);
    if (!network.has_value()) continue;
    least = std::min(least, network->validation_error);
    tried.push_back(*std::move(network));
  }
  const auto is_worse = [&](const LinearNetwork& one) { return one.validation_error > kAboutAsGood * least; };
  tried.erase(std::remove_if(tried.begin(), tried.end(), is_worse), tried.end());
  if (tried.empty()) return std::nullopt;
  return MeanOf(dataset, tried);
}

}  // namespace rondo::train
