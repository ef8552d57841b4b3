#include "model/train/ladder.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "model/network/graph.h"
#include "model/train/linear_graph.h"
#include "model/train/mean_graph.h"
#include "model/train/result.h"

namespace rondo::train {
namespace {

constexpr double kNoise = 0.01;  // errors that differ by a smaller part say nothing
constexpr double kMeanNoise = 1.03;
constexpr double kNear = 1.25;  // the mean of networks whose errors differ by less may be better than each

absl::StatusOr<ModelFile> ModelOf(const Dataset& dataset, const NetworkGraph& network) {
  ModelFile model;
  model.spec = dataset.spec();
  auto graph = Graph::Read(network.elements, {model.spec.feature_size(), 0}, network.output);
  if (!graph.ok()) return graph.status();
  model.spec.graph = *std::move(graph);
  model.spec.outputs = network.outputs;
  for (const auto& [name, values] : network.tensors) model.weights.tensors.push_back(values);
  return model;
}

// Returns the error of a network on the validation part.
absl::StatusOr<double> Judge(const Dataset& dataset, const NetworkGraph& network) {
  const absl::StatusOr<ModelFile> model = ModelOf(dataset, network);
  if (!model.ok()) return model.status();
  const auto judged = EvaluateModel(dataset, *model, /*season=*/0, Dataset::kValidation);
  if (!judged.ok()) return judged.status();
  return judged->losses.model;
}

// Returns the rule that says the value of now (season 0) or of one season before, as a network.
LinearNetwork NaiveRule(const Dataset& dataset, int64_t season) {
  LinearNetwork rule;
  rule.kind = LinearKind::kOwnWindow;
  rule.length = std::max<int64_t>(1, season);
  const int64_t horizon = dataset.spec().horizon;
  rule.layer.bias.resize(horizon);
  rule.layer.weight.resize(horizon * rule.length);
  for (int64_t ahead = 1; ahead <= horizon && season > 0; ++ahead) {
    const int64_t lag = (ahead + season - 1) / season * season - ahead;
    rule.layer.weight[(ahead - 1) * rule.length + rule.length - 1 - lag] = 1;
  }
  return rule;
}

}  // namespace

absl::Status Ladder::AddLinear(const TrainOptions& options, const std::function<bool()>& stop) {
  const auto& outputs = dataset_.spec().outputs;
  const bool changes =
      std::none_of(outputs.begin(), outputs.end(), [](const auto& output) { return output.added_to.empty(); });
  if (changes && CanBeLinear(dataset_, LinearKind::kOwnWindow)) {
    absl::StatusOr<ModelFile> now = ModelOf(dataset_, GraphOf(dataset_, NaiveRule(dataset_, 0)));
    if (!now.ok()) return now.status();
    const auto judged = EvaluateModel(dataset_, *now, season_, Dataset::kValidation);
    if (!judged.ok()) return judged.status();
    Add("the value now", judged->losses.persistence, *std::move(now));
    if (season_ > 0 && judged->losses.seasonal > 0) {
      absl::StatusOr<ModelFile> seasonal = ModelOf(dataset_, GraphOf(dataset_, NaiveRule(dataset_, season_)));
      if (!seasonal.ok()) return seasonal.status();
      Add(absl::StrCat("the value ", season_, " timesteps before"), judged->losses.seasonal, *std::move(seasonal));
    }
  }
  LinearOptions linear;
  linear.window_inputs = options.window_inputs;
  linear.season = season_;
  linear.refit = options.learning.refit;
  linear.stop = stop;
  for (const LinearKind kind : {LinearKind::kOwnWindow, LinearKind::kOwnLogWindow, LinearKind::kAllWindows}) {
    if (kind == LinearKind::kAllWindows && options.columns_as_series) continue;
    if (absl::Status status = AddLinearOf(kind, linear); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Ladder::AddLinearOf(LinearKind kind, const LinearOptions& options) {
  std::optional<LinearNetwork> network = FitLinear(dataset_, kind, options);
  if (!network.has_value()) return absl::OkStatus();
  Part part;
  part.judged = GraphOf(dataset_, *network);
  const absl::StatusOr<double> error = Judge(dataset_, part.judged);
  if (!error.ok()) return error.status();
  part.validation_error = *error;
  if (options.refit) network->layer = network->refitted;
  part.written = GraphOf(dataset_, *network);
  absl::StatusOr<ModelFile> model = ModelOf(dataset_, part.written);
  if (!model.ok()) return model.status();
  const char* of = kind == LinearKind::kOwnWindow      ? " values of each target"
                   : kind == LinearKind::kOwnLogWindow ? " logarithms of each target"
                                                       : " values of every input";
  part.name = absl::StrCat("linear on the last ", network->length, of);
  Add(part.name, part.validation_error, *std::move(model));
  parts_.push_back(std::move(part));
  return absl::OkStatus();
}

void Ladder::AddRecurrent(std::string name, double validation_error, const Weights& before_refit, ModelFile model) {
  if (model.spec.head == Head::kLinear && model.spec.tokens == 0) {
    parts_.push_back({name, validation_error, GraphOf(model.spec, before_refit), GraphOf(model.spec, model.weights)});
  }
  Add(std::move(name), validation_error, std::move(model));
}

absl::Status Ladder::AddMean() {
  double least = HUGE_VAL;
  for (const Part& part : parts_) least = std::min(least, part.validation_error);
  std::vector<const NetworkGraph*> judged, written;
  for (const Part& part : parts_) {
    if (part.validation_error > kNear * least) continue;
    judged.push_back(&part.judged);
    written.push_back(&part.written);
  }
  if (judged.size() < 2) return absl::OkStatus();
  const std::optional<NetworkGraph> mean = MeanGraph(dataset_.spec(), judged);
  if (!mean.has_value()) return absl::OkStatus();
  const absl::StatusOr<double> error = Judge(dataset_, *mean);
  if (!error.ok()) return error.status();
  absl::StatusOr<ModelFile> model = ModelOf(dataset_, *MeanGraph(dataset_.spec(), written));
  if (!model.ok()) return model.status();
  has_mean_ = true;
  Add(absl::StrCat("the mean of the ", judged.size(), " best networks"), *error, *std::move(model));
  return absl::OkStatus();
}

void Ladder::Add(std::string name, double validation_error, ModelFile model) {
  rungs_.push_back({std::move(name), validation_error, false});
  models_.push_back(std::move(model));
}

const ModelFile& Ladder::Choose() {
  double least = rungs_[0].validation_error;
  for (const Rung& rung : rungs_) least = std::min(least, rung.validation_error);
  // The loss of a gaussian head may be below zero.
  const double within = least + kNoise * std::abs(least);
  size_t chosen = 0;
  while (rungs_[chosen].validation_error > within) ++chosen;
  // The best of several is so by chance too; their mean is not, so that it may err a little more there.
  const bool is_rule = chosen + parts_.size() + (has_mean_ ? 1 : 0) < rungs_.size();
  if (has_mean_ && !is_rule && rungs_.back().validation_error <= kMeanNoise * least) chosen = rungs_.size() - 1;
  rungs_[chosen].chosen = true;
  return models_[chosen];
}

}  // namespace rondo::train
