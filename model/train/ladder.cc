#include "model/train/ladder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/network/graph.h"
#include "model/train/result.h"

namespace rondo::train {
namespace {

constexpr double kNoise = 0.01;  // errors that differ by a smaller part say nothing

absl::StatusOr<ModelFile> ModelOf(const Dataset& dataset, const LinearNetwork& network) {
  LinearGraph linear = GraphOf(dataset, network);
  ModelFile model;
  model.spec = dataset.spec();
  auto graph = Graph::Read(linear.elements, {model.spec.feature_size(), 0}, linear.output);
  if (!graph.ok()) return graph.status();
  model.spec.graph = *std::move(graph);
  model.spec.outputs = std::move(linear.outputs);
  for (auto& [name, values] : linear.tensors) model.weights.tensors.push_back(std::move(values));
  return model;
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
    absl::StatusOr<ModelFile> now = ModelOf(dataset_, NaiveRule(dataset_, 0));
    if (!now.ok()) return now.status();
    const auto judged = EvaluateModel(dataset_, *now, season_, Dataset::kValidation);
    if (!judged.ok()) return judged.status();
    Add("the value now", judged->losses.persistence, *std::move(now));
    if (season_ > 0 && judged->losses.seasonal > 0) {
      absl::StatusOr<ModelFile> seasonal = ModelOf(dataset_, NaiveRule(dataset_, season_));
      if (!seasonal.ok()) return seasonal.status();
      Add(absl::StrCat("the value ", season_, " timesteps before"), judged->losses.seasonal, *std::move(seasonal));
    }
  }
  LinearOptions linear;
  linear.window_inputs = options.window_inputs;
  linear.refit = options.learning.refit;
  linear.stop = stop;
  for (const LinearKind kind : {LinearKind::kOwnWindow, LinearKind::kAllWindows}) {
    if (kind == LinearKind::kAllWindows && options.columns_as_series) continue;
    if (absl::Status status = AddLinearOf(kind, linear); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Ladder::AddLinearOf(LinearKind kind, const LinearOptions& options) {
  std::optional<LinearNetwork> network = FitLinear(dataset_, kind, options);
  if (!network.has_value()) return absl::OkStatus();
  absl::StatusOr<ModelFile> before_refit = ModelOf(dataset_, *network);
  if (!before_refit.ok()) return before_refit.status();
  const auto judged = EvaluateModel(dataset_, *before_refit, season_, Dataset::kValidation);
  if (!judged.ok()) return judged.status();
  if (options.refit) network->layer = network->refitted;
  absl::StatusOr<ModelFile> model = ModelOf(dataset_, *network);
  if (!model.ok()) return model.status();
  Add(absl::StrCat("linear on the last ", network->length,
                   kind == LinearKind::kOwnWindow ? " values of each target" : " values of every input"),
      judged->losses.model, *std::move(model));
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
  rungs_[chosen].chosen = true;
  return models_[chosen];
}

}  // namespace rondo::train
