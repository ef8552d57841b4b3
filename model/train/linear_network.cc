#include "model/train/linear_network.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

namespace rondo::train {
namespace {

constexpr int64_t kMostFeatures = 512;
constexpr double kMostProducts = 1e11;  // of a pass over the training part; longer ones are thinned out
constexpr double kAboutAsGood = 1.05;   // a validation part does not tell errors apart that differ by less
constexpr int64_t kManyRows = 20;       // for each weight
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
    const int64_t most = std::min({kMostFeatures / inputs, dataset_.longest_segment(Dataset::kTraining) / 3,
                                   options_.longest > 0 ? options_.longest : kMostFeatures});
    const int64_t longest = std::max<int64_t>(1, most);
    std::set<int64_t> lengths(std::begin(kLengths), std::end(kLengths));
    if (options_.season > 0) lengths.insert({options_.season + 1, 2 * options_.season + 1});
    lengths.insert(longest);
    lengths.erase(lengths.upper_bound(longest), lengths.end());
    return lengths;
  }

  // Returns the best network of a length. Nothing: there are too few rows, or the fit was stopped.
  std::optional<LinearNetwork> Fit(int64_t length) const {
    const LinearRows rows(dataset_, kind_, length);
    std::vector<Sums> folds, before;  // the last one: training and validation part
    const std::vector<int64_t> levels = rows.Levels();
    for (const Fold& fold : options_.folds) {
      if (!SumUp(rows, fold.around, fold.validation, &folds)) return std::nullopt;
      if (!levels.empty() && !SumUp(rows, fold.before, fold.validation, &before)) return std::nullopt;
    }
    if (!SumUp(rows, dataset_.segments(Dataset::kTraining), dataset_.segments(Dataset::kValidation), &folds) ||
        !folds.back().enough()) {
      return std::nullopt;
    }
    const std::vector<std::vector<double>> draws = Draws(rows);
    std::optional<Choice> best = Best(folds, draws, {});
    if (std::optional<Choice> without = levels.empty() ? std::nullopt : Best(folds, draws, levels);
        without.has_value()) {
      before.push_back(folds.back());
      const bool worth_it =
          best.has_value() && Error(before, draws, *best) < ClearlyLess(dataset_) * Error(before, draws, *without);
      if (!worth_it) best = std::move(without);
    }
    if (!best.has_value()) return std::nullopt;
    LinearNetwork network;
    network.kind = kind_;
    network.length = length;
    network.penalty = best->penalty;
    network.validation_error = best->error * folds.back().validation.MeanSquaredTarget();
    network.layer = std::move(best->layers.back());
    best->layers.pop_back();
    network.earlier = std::move(best->layers);
    if (!options_.refit) return network;
    folds.back().training.Add(folds.back().validation);
    std::vector<LinearLayer> refitted = folds.back().training.Solve(best->penalty, {draws[best->draw]});
    network.refitted = refitted.empty() ? network.layer : std::move(refitted[0]);
    return network;
  }

 private:
  // The sums of one fold.
  struct Sums {
    RidgeSums training, validation;
    bool enough() const { return training.rows() >= kLeastRows && validation.rows() > 0; }
  };
  // A penalty, what it draws to, the layer of each fold, and their error in parts of that of zeros.
  struct Choice {
    RidgePenalty penalty;
    size_t draw = 0;
    double error = HUGE_VAL;
    std::vector<LinearLayer> layers;
  };

  // Sums the parts of a fold. False: the fit was stopped.
  bool SumUp(const LinearRows& rows, absl::Span<const Segment> training, absl::Span<const Segment> validation,
             std::vector<Sums>* folds) const {
    const double products = static_cast<double>(rows.features()) * static_cast<double>(rows.features()) *
                            static_cast<double>(dataset_.timesteps(Dataset::kTraining)) *
                            static_cast<double>(rows.own() ? rows.num_outputs() : 1);
    const int64_t stride = std::max<int64_t>(1, std::llround(std::ceil(products / kMostProducts)));
    Sums& sums = folds->emplace_back(
        Sums{RidgeSums(rows.features(), rows.targets()), RidgeSums(rows.features(), rows.targets())});
    return rows.Add(training, stride, /*complete=*/true, options_.stop, &sums.training) &&
           rows.Add(validation, stride, /*complete=*/false, options_.stop, &sums.validation);
  }

  // Lists what a penalty may draw to.
  std::vector<std::vector<double>> Draws(const LinearRows& rows) const {
    std::vector<std::vector<double>> draws = {{}};
    for (const bool change : {false, true}) {
      std::vector<double> seasonal = rows.SeasonalWeights(options_.season, change);
      if (!seasonal.empty()) draws.push_back(std::move(seasonal));
    }
    return draws;
  }

  // Sets a choice's layers and error.
  static void Judge(const std::vector<Sums>& folds, std::vector<std::vector<LinearLayer>> layers, Choice* choice) {
    std::vector<double> errors, of_zeros;
    for (size_t i = 0; i < folds.size(); ++i) {
      choice->layers.push_back(layers[i].empty() ? LinearLayer() : std::move(layers[i][choice->draw]));
      if (layers[i].empty()) continue;
      errors.push_back(folds[i].validation.MeanSquaredError(choice->layers.back()));
      of_zeros.push_back(folds[i].validation.MeanSquaredTarget());
    }
    choice->error = ErrorOverFolds(errors, of_zeros);
  }

  static std::vector<std::vector<LinearLayer>> Solve(const std::vector<Sums>& folds, const RidgePenalty& penalty,
                                                     const std::vector<std::vector<double>>& draws) {
    std::vector<std::vector<LinearLayer>> layers;  // [folds][draws]
    for (const Sums& sums : folds) {
      layers.push_back(sums.enough() ? sums.training.Solve(penalty, draws) : std::vector<LinearLayer>());
    }
    return layers;
  }

  // Finds the penalty and the draw of least error. Nothing: none has a layer in the last fold.
  static std::optional<Choice> Best(const std::vector<Sums>& folds, const std::vector<std::vector<double>>& draws,
                                    const std::vector<int64_t>& excluded) {
    std::optional<Choice> best;
    for (const bool by_feature : {false, true}) {
      for (const double strength : kStrengths) {
        const RidgePenalty penalty = {strength, by_feature, excluded};
        const std::vector<std::vector<LinearLayer>> layers = Solve(folds, penalty, draws);
        for (size_t draw = 0; draw < layers.back().size(); ++draw) {
          Choice choice = {penalty, draw, 0, {}};
          Judge(folds, layers, &choice);
          if (!best.has_value() || choice.error < best->error) best = std::move(choice);
        }
      }
    }
    return best;
  }

  // Returns what a choice errs on other folds.
  static double Error(const std::vector<Sums>& folds, const std::vector<std::vector<double>>& draws,
                      const Choice& choice) {
    Choice judged = {choice.penalty, choice.draw, 0, {}};
    Judge(folds, Solve(folds, choice.penalty, draws), &judged);
    return judged.error;
  }

  static constexpr int64_t kLeastRows = 8;

  const Dataset& dataset_;
  const LinearKind kind_;
  const LinearOptions& options_;
};

// Returns the segments of one series.
std::vector<Segment> Of(const std::vector<Segment>& all, size_t series) {
  std::vector<Segment> its;
  std::copy_if(all.begin(), all.end(), std::back_inserter(its), [=](const auto& one) { return one.series == series; });
  return its;
}

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
  for (LinearLayer& layer : mean.earlier) layer = {};
  mean.validation_error = 0;
  const LinearRows wide(dataset, mean.kind, mean.length);
  const double part = 1 / static_cast<double>(networks.size());
  std::vector<double> of_earlier(mean.earlier.size());  // how many networks have a layer of that fold
  for (const LinearNetwork& network : networks) {
    for (size_t i = 0; i < of_earlier.size(); ++i) of_earlier[i] += network.earlier[i].bias.empty() ? 0 : 1;
  }
  for (const LinearNetwork& network : networks) {
    const LinearRows rows(dataset, network.kind, network.length);
    AddWidened(network.layer, rows, part, wide, &mean.layer);
    if (!network.refitted.bias.empty()) AddWidened(network.refitted, rows, part, wide, &mean.refitted);
    for (size_t i = 0; i < of_earlier.size(); ++i) {
      if (!network.earlier[i].bias.empty()) {
        AddWidened(network.earlier[i], rows, 1 / of_earlier[i], wide, &mean.earlier[i]);
      }
    }
    mean.validation_error += part * network.validation_error;
  }
  return mean;
}

// A long window can say all that a short one can, and where there are many rows for each of its weights it says no more
// than it should: of networks that are about as good, much shorter ones only add what they are blind to.
void LeaveOutShort(const Dataset& dataset, std::vector<LinearNetwork>* networks) {
  const LinearRows longest(dataset, networks->back().kind, networks->back().length);
  const int64_t rows = dataset.timesteps(Dataset::kTraining) * (longest.own() ? longest.num_outputs() : 1);
  if (rows < kManyRows * longest.features()) return;
  const auto is_short = [&](const LinearNetwork& one) { return 2 * one.length < longest.length(); };
  networks->erase(std::remove_if(networks->begin(), networks->end(), is_short), networks->end());
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
  LeaveOutShort(dataset, &tried);
  return MeanOf(dataset, tried);
}

std::optional<SeriesLayers> FitEachSeries(const Dataset& dataset, LinearKind kind, const LinearOptions& options) {
  std::vector<std::optional<LinearNetwork>> all;
  SeriesLayers result;
  result.kind = kind;
  for (size_t i = 0; i < dataset.set().series.size(); ++i) {
    LinearOptions own = options;
    for (Fold& fold : own.folds) {
      for (std::vector<Segment>* part : {&fold.validation, &fold.around, &fold.before}) *part = Of(*part, i);
    }
    all.push_back(FitLinear(
        dataset.WithParts(Of(dataset.segments(Dataset::kTraining), i), Of(dataset.segments(Dataset::kValidation), i)),
        kind, own));
    if (options.stop && options.stop()) return std::nullopt;
    if (all.back().has_value()) result.length = std::max(result.length, all.back()->length);
  }
  if (result.length == 0) return std::nullopt;
  const LinearRows wide(dataset, kind, result.length);
  result.earlier.resize(options.folds.size());
  for (const std::optional<LinearNetwork>& network : all) {
    const LinearRows rows(dataset, kind, network.has_value() ? network->length : result.length);
    const auto widened = [&](const LinearLayer* layer) {
      LinearLayer made;
      made.weight.resize(wide.targets() * wide.features());
      made.bias.resize(wide.targets());
      if (layer != nullptr && !layer->bias.empty()) AddWidened(*layer, rows, 1, wide, &made);
      return made;
    };
    result.layers.push_back(widened(network.has_value() ? &network->layer : nullptr));
    result.refitted.push_back(widened(network.has_value() ? &network->refitted : nullptr));
    for (size_t i = 0; i < result.earlier.size(); ++i) {
      result.earlier[i].push_back(widened(network.has_value() ? &network->earlier[i] : nullptr));
    }
  }
  return result;
}

}  // namespace rondo::train
