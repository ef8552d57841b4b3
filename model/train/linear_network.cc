#include "model/train/linear_network.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace rondo::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMostFeatures = 512;
constexpr int64_t kMostTargets = 160;   // a model file has at most 512 elements, three a target
constexpr double kMostProducts = 2e11;  // of a pass over the training part; longer ones are thinned out
constexpr double kRoughly = 0.02;       // validation errors far ahead that differ by less tell nothing
constexpr int64_t kBlockRows = 1024;
constexpr int64_t kLengths[] = {1, 2, 3, 4, 5, 7, 10, 14, 21, 28, 36, 48, 72, 96, 144, 168, 240, 336, 512};
constexpr double kPenalties[] = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1};

// Makes the rows of features and targets of one kind of network.
class RowMaker {
 public:
  RowMaker(const Dataset& dataset, LinearKind kind, int64_t length)
      : dataset_(dataset), spec_(dataset.spec()), own_(kind == LinearKind::kOwnWindow), kind_(kind), length_(length) {
    for (size_t i = 0; i < spec_.outputs.size(); ++i) {
      const auto input = std::find_if(spec_.inputs.begin(), spec_.inputs.end(),
                                      [&](const auto& feature) { return feature.name == spec_.outputs[i].added_to; });
      inputs_of_targets_.push_back(input - spec_.inputs.begin());
      const bool added = input != spec_.inputs.end();
      means_.push_back(added ? 0 : spec_.outputs[i].mean);
      stds_.push_back(added ? input->std : spec_.outputs[i].std);
    }
  }

  LinearKind kind() const { return kind_; }
  int64_t num_inputs() const { return static_cast<int64_t>(spec_.inputs.size()); }
  int64_t calendar_size() const { return 2 * static_cast<int64_t>(spec_.calendar.size()); }
  int64_t features() const { return own_ ? length_ : num_inputs() * length_ + calendar_size(); }
  int64_t targets() const { return own_ ? spec_.horizon : spec_.horizon * num_outputs(); }
  int64_t num_outputs() const { return static_cast<int64_t>(spec_.outputs.size()); }
  int64_t input_of_target(int64_t output) const { return inputs_of_targets_[output]; }
  double mean(int64_t output) const { return means_[output]; }
  double std(int64_t output) const { return stds_[output]; }

  // Returns the places of the features that a shorter window has too.
  std::vector<int64_t> FeaturesOf(int64_t length) const {
    std::vector<int64_t> places;
    for (int64_t input = 0; input < (own_ ? 1 : num_inputs()); ++input) {
      for (int64_t lag = length_ - length; lag < length_; ++lag) places.push_back(input * length_ + lag);
    }
    for (int64_t i = own_ ? length_ : num_inputs() * length_; i < features(); ++i) places.push_back(i);
    return places;
  }

  // Sums the rows of every `stride`th timestep of a part. False: stopped.
  bool AddPart(Dataset::Part part, int64_t stride, const std::function<bool()>& stop, RidgeSums* sums) const {
    std::vector<float> x, y;
    for (const Segment& segment : dataset_.segments(part)) {
      for (int64_t t = segment.begin; t < segment.end; t += stride) {
        for (int64_t output = 0; output < (own_ ? num_outputs() : 1); ++output) {
          AddRow(segment.series, t, output, &x, &y);
        }
        if (static_cast<int64_t>(y.size()) >= kBlockRows * targets() && !Flush(stop, &x, &y, sums)) return false;
      }
    }
    return Flush(stop, &x, &y, sums);
  }

 private:
  bool Flush(const std::function<bool()>& stop, std::vector<float>* x, std::vector<float>* y, RidgeSums* sums) const {
    sums->Add(*x, *y, static_cast<int64_t>(y->size()) / targets());
    x->clear();
    y->clear();
    return !stop || !stop();
  }

  // Adds nothing if a target is missing.
  void AddRow(size_t series, int64_t t, int64_t output, std::vector<float>* x, std::vector<float>* y) const {
    const size_t before = y->size();
    for (int64_t ahead = 1; ahead <= spec_.horizon; ++ahead) {
      for (int64_t i = own_ ? output : 0; i < (own_ ? output + 1 : num_outputs()); ++i) {
        const double target = dataset_.RawTarget(series, t, ahead, i);
        if (std::isnan(target)) {
          y->resize(before);
          return;
        }
        y->push_back(static_cast<float>((target - means_[i]) / stds_[i]));
      }
    }
    const absl::Span<const float> features = dataset_.features(series);
    const int64_t width = spec_.feature_size();
    const auto value = [&](int64_t at, int64_t input) { return features[at * width + input]; };
    if (own_) {
      const int64_t input = input_of_target(output);
      for (int64_t at = t - length_ + 1; at <= t; ++at) {
        x->push_back(value(std::max<int64_t>(at, 0), input) - value(t, input));
      }
      return;
    }
    for (int64_t input = 0; input < num_inputs(); ++input) {
      for (int64_t at = t - length_ + 1; at <= t; ++at) x->push_back(at < 0 ? 0 : value(at, input));
    }
    for (int64_t i = 0; i < calendar_size(); ++i) x->push_back(value(t, num_inputs() + i));
  }

  const Dataset& dataset_;
  const ModelSpec& spec_;
  const bool own_;
  const LinearKind kind_;
  const int64_t length_;
  std::vector<int64_t> inputs_of_targets_;
  std::vector<double> means_, stds_;  // of the targets
};

std::vector<float> Floats(const double* from, int64_t count) {
  std::vector<float> floats;
  for (int64_t i = 0; i < count; ++i) floats.push_back(static_cast<float>(from[i]));
  return floats;
}

// Leaves the features of a window of `length` alone.
LinearLayer Narrowed(const LinearLayer& layer, const RowMaker& maker, int64_t length) {
  LinearLayer narrowed{{}, layer.bias};
  for (int64_t target = 0; target < maker.targets(); ++target) {
    for (const int64_t place : maker.FeaturesOf(length)) {
      narrowed.weight.push_back(layer.weight[target * maker.features() + place]);
    }
  }
  return narrowed;
}

// Fits a window of one length with the penalty that errs least on the validation part; length 0: no penalty does.
LinearNetwork BestPenalty(const RidgeSums& training, const RidgeSums& validation, const RowMaker& maker,
                          int64_t length) {
  LinearNetwork best;
  best.validation_error = HUGE_VAL;
  for (const double penalty : kPenalties) {
    std::optional<LinearLayer> layer = training.Solve(penalty, maker.FeaturesOf(length));
    if (!layer.has_value()) continue;
    const double error = validation.MeanSquaredError(*layer);
    if (error < best.validation_error) best = {maker.kind(), length, penalty, error, *std::move(layer), {}};
  }
  return best;
}

// Forecasts far ahead overlap on the validation part, so that it tells lengths apart only roughly. Of those that are
// about as good the longest has seen the most: on the hours of power transformers its errors are least later.
LinearNetwork LongestOfTheBest(std::vector<LinearNetwork> tried, int64_t horizon) {
  double least = HUGE_VAL;
  for (const LinearNetwork& network : tried) least = std::min(least, network.validation_error);
  const double within = least * (1 + kRoughly * (1 - 1.0 / static_cast<double>(horizon)));
  LinearNetwork best;
  for (LinearNetwork& network : tried) {
    if (network.length > best.length && network.validation_error <= within) best = std::move(network);
  }
  return best;
}

}  // namespace

bool CanBeLinear(const Dataset& dataset, LinearKind kind) {
  const ModelSpec& spec = dataset.spec();
  if (spec.tokens > 0 || static_cast<int64_t>(spec.outputs.size()) > kMostTargets) return false;
  if (kind == LinearKind::kAllWindows) return 3 * spec.inputs.size() < kMostTargets;
  return std::none_of(spec.outputs.begin(), spec.outputs.end(),
                      [](const auto& output) { return output.added_to.empty(); });
}

std::optional<LinearNetwork> FitLinear(const Dataset& dataset, LinearKind kind, const LinearOptions& options) {
  if (!CanBeLinear(dataset, kind)) return std::nullopt;
  const auto inputs = static_cast<int64_t>(kind == LinearKind::kOwnWindow ? 1 : dataset.spec().inputs.size());
  const int64_t reach = std::min(kMostFeatures / inputs, dataset.longest_segment(Dataset::kTraining) / 4);
  const int64_t longest = options.window_inputs > 0 ? options.window_inputs : std::max<int64_t>(1, reach);
  const RowMaker maker(dataset, kind, longest);
  RidgeSums training(maker.features(), maker.targets()), validation(maker.features(), maker.targets());
  const double products = static_cast<double>(maker.features()) * static_cast<double>(maker.features()) *
                          static_cast<double>(dataset.timesteps(Dataset::kTraining)) *
                          static_cast<double>(kind == LinearKind::kOwnWindow ? maker.num_outputs() : 1);
  const int64_t stride = std::max<int64_t>(1, std::llround(std::ceil(products / kMostProducts)));
  if (!maker.AddPart(Dataset::kTraining, stride, options.stop, &training)) return std::nullopt;
  if (!maker.AddPart(Dataset::kValidation, stride, options.stop, &validation)) return std::nullopt;
  if (training.rows() == 0 || validation.rows() == 0) return std::nullopt;

  std::vector<int64_t> lengths = {longest};
  if (options.window_inputs == 0) lengths.insert(lengths.begin(), std::begin(kLengths), std::end(kLengths));
  std::vector<LinearNetwork> tried;  // the best of each length
  for (const int64_t length : lengths) {
    if (length > longest) continue;
    if (options.stop && options.stop()) return std::nullopt;
    tried.push_back(BestPenalty(training, validation, maker, length));
  }
  LinearNetwork best = LongestOfTheBest(std::move(tried), dataset.spec().horizon);
  if (best.length == 0) return std::nullopt;
  best.layer = Narrowed(best.layer, maker, best.length);
  if (!options.refit) return best;
  training.Add(validation);
  const std::optional<LinearLayer> layer = training.Solve(best.penalty, maker.FeaturesOf(best.length));
  if (!layer.has_value()) return std::nullopt;
  best.refitted = Narrowed(*layer, maker, best.length);
  return best;
}

LinearGraph GraphOf(const Dataset& dataset, const LinearNetwork& network) {
  const RowMaker maker(dataset, network.kind, network.length);
  const ModelSpec& spec = dataset.spec();
  const bool own = network.kind == LinearKind::kOwnWindow;
  LinearGraph graph;
  graph.elements = Json::array();
  graph.outputs = spec.outputs;
  for (int64_t i = 0; i < maker.num_outputs(); ++i) {
    graph.outputs[i].mean = maker.mean(i);
    graph.outputs[i].std = maker.std(i);
  }
  const auto add = [&graph](Json element) { graph.elements.push_back(std::move(element)); };
  const auto dense = [&](const std::string& name, const std::string& of) {
    add({{"name", name}, {"type", "dense"}, {"of", of}, {"units", maker.targets()}});
    graph.tensors.emplace_back(name + ".weight",
                               Floats(network.layer.weight.data(), maker.targets() * maker.features()));
    graph.tensors.emplace_back(name + ".bias", Floats(network.layer.bias.data(), maker.targets()));
  };
  Json parts = Json::array();
  for (int64_t i = 0; i < (own ? maker.num_outputs() : maker.num_inputs()); ++i) {
    const int64_t input = own ? maker.input_of_target(i) : i;
    const std::string value = absl::StrCat("value_", i), window = absl::StrCat("window_", i);
    add({{"name", value}, {"type", "slice"}, {"of", "input"}, {"from", input}, {"to", input + 1}});
    add({{"name", window}, {"type", "lag_window"}, {"of", value}, {"length", network.length}});
    if (own) graph.elements.back()["minus_newest"] = true;
    if (own) dense(absl::StrCat("ahead_", i), window);
    parts.push_back(own ? absl::StrCat("ahead_", i) : window);
  }
  if (!own && maker.calendar_size() > 0) {
    add({{"name", "calendar"},
         {"type", "slice"},
         {"of", "input"},
         {"from", maker.num_inputs()},
         {"to", maker.num_inputs() + maker.calendar_size()}});
    parts.push_back("calendar");
  }
  graph.output = parts[0].get<std::string>();
  if (parts.size() > 1) {
    graph.output = "together";
    add({{"name", "together"}, {"type", "concat"}, {"of", parts}});
  }
  if (!own) {
    dense("ahead", graph.output);
    graph.output = "ahead";
  } else if (parts.size() > 1 && spec.horizon > 1) {
    add({{"name", "by_target"},
         {"type", "reshape"},
         {"of", "together"},
         {"channels", maker.num_outputs()},
         {"length", spec.horizon}});
    add({{"name", "by_step"}, {"type", "transpose"}, {"of", "by_target"}});
    graph.output = "by_step";
  }
  // As a description that was read has them: a number without a sign is of an unsigned kind there.
  graph.elements = Json::parse(graph.elements.dump());
  return graph;
}

}  // namespace rondo::train
