#include "model/train/ladder.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "model/train/linear_graph.h"
#include "model/train/mean_graph.h"
#include "model/train/model_assembly.h"
#include "model/train/result.h"
#include "model/train/rolling_origin.h"

namespace rondo::train {
namespace {

std::vector<double> LossesOf(const Evaluation& evaluation, double OriginLosses::*whose) {
  std::vector<double> losses;
  for (const OriginLosses& origin : evaluation.origins) losses.push_back(origin.*whose);
  return losses;
}

absl::StatusOr<Evaluation> Judge(const Dataset& dataset, const NetworkGraph& network, int64_t season = 0) {
  const absl::StatusOr<ModelFile> model = ModelOf(dataset.spec(), network);
  if (!model.ok()) return model.status();
  return EvaluateModel(dataset, *model, season, Dataset::kValidation);
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

Ladder::Ladder(const Dataset& dataset, int64_t season)
    : dataset_(dataset), season_(season), folds_(EarlierFolds(dataset)) {
  for (const Fold& fold : folds_) earlier_.push_back(dataset.WithParts(fold.around, fold.validation));
}

absl::Status Ladder::AddNaive() {
  const auto& outputs = dataset_.spec().outputs;
  const bool changes =
      std::none_of(outputs.begin(), outputs.end(), [](const auto& output) { return output.added_to.empty(); });
  if (!changes || !CanBeLinear(dataset_, LinearKind::kOwnWindow)) return absl::OkStatus();
  const NetworkGraph now = GraphOf(dataset_, NaiveRule(dataset_, 0));
  std::vector<std::vector<double>> losses, seasonal;
  bool reaches_back = season_ > 0;
  for (size_t i = 0; i <= earlier_.size(); ++i) {
    const auto judged = Judge(i < earlier_.size() ? earlier_[i] : dataset_, now, season_);
    if (!judged.ok()) return judged.status();
    losses.push_back(LossesOf(*judged, &OriginLosses::persistence));
    const std::vector<Segment>& scored = (i < earlier_.size() ? earlier_[i] : dataset_).segments(Dataset::kValidation);
    const bool all =
        std::all_of(scored.begin(), scored.end(), [this](const Segment& s) { return s.begin + 1 >= season_; });
    seasonal.push_back(all ? LossesOf(*judged, &OriginLosses::seasonal) : std::vector<double>());
    reaches_back = i < earlier_.size() ? reaches_back : reaches_back && all && judged->losses.seasonal > 0;
  }
  const auto add = [this](std::string name, int64_t season, std::vector<std::vector<double>> its_losses) {
    NetworkGraph graph = GraphOf(dataset_, NaiveRule(dataset_, season));
    absl::StatusOr<ModelFile> model = ModelOf(dataset_.spec(), graph);
    if (!model.ok()) return model.status();
    std::vector<NetworkGraph> earlier(earlier_.size(), graph);
    Add(std::move(name), 0,
        {*std::move(model), std::move(its_losses), {{graph, graph, std::move(earlier), true, false}}, true});
    return absl::OkStatus();
  };
  if (absl::Status status = add("the value now", 0, std::move(losses)); !status.ok() || !reaches_back) return status;
  return add(absl::StrCat("the value ", season_, " timesteps before"), season_, std::move(seasonal));
}

LinearOptions Ladder::OptionsOfLinear(const TrainOptions& options, const std::function<bool()>& stop) const {
  LinearOptions linear;
  linear.window_inputs = options.window_inputs;
  linear.season = season_;
  linear.refit = options.learning.refit;
  linear.stop = stop;
  linear.folds = folds_;
  return linear;
}

absl::Status Ladder::AddLinear(const TrainOptions& options, const std::function<bool()>& stop) {
  if (absl::Status status = AddNaive(); !status.ok()) return status;
  const LinearOptions linear = OptionsOfLinear(options, stop);
  for (const LinearKind kind : {LinearKind::kOwnWindow, LinearKind::kOwnLogWindow, LinearKind::kAllWindows}) {
    if (kind == LinearKind::kAllWindows && options.columns_as_series) continue;
    if (absl::Status status = AddLinearOf(kind, linear); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Ladder::AddLinearOf(LinearKind kind, const LinearOptions& options) {
  std::optional<LinearNetwork> network = FitLinear(dataset_, kind, options);
  if (!network.has_value()) return absl::OkStatus();
  LadderPart part;
  part.judged = GraphOf(dataset_, *network);
  const LinearLayer layer = std::move(network->layer);
  for (LinearLayer& earlier : network->earlier) {
    network->layer = std::move(earlier);
    part.earlier.push_back(network->layer.bias.empty() ? NetworkGraph() : GraphOf(dataset_, *network));
  }
  network->layer = options.refit ? network->refitted : layer;
  part.written = GraphOf(dataset_, *network);
  absl::StatusOr<ModelFile> model = ModelOf(dataset_.spec(), part.written);
  if (!model.ok()) return model.status();
  auto losses = JudgeAll({part}, {1});
  if (!losses.ok()) return losses.status();
  const char* of = kind == LinearKind::kOwnWindow      ? " values of each target"
                   : kind == LinearKind::kOwnLogWindow ? " logarithms of each target"
                                                       : " values of every input";
  Add(absl::StrCat("linear on the last ", network->length, of), network->validation_error,
      {*std::move(model), *std::move(losses), {std::move(part)}, false});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::vector<double>>> Ladder::JudgeAll(const std::vector<LadderPart>& parts,
                                                                  const std::vector<double>& weights) const {
  std::vector<std::vector<double>> losses(earlier_.size() + 1);
  for (size_t i = 0; i < losses.size(); ++i) {
    const auto is_fitted = [&](const LadderPart& part) {
      return i == earlier_.size() || (!part.earlier.empty() && !part.earlier[i].elements.empty());
    };
    double of_rules = 0, of_fitted = 0;
    for (size_t k = 0; k < parts.size(); ++k) {
      if (is_fitted(parts[k])) (parts[k].is_rule ? of_rules : of_fitted) += weights[k];
    }
    if (!(of_fitted > 0)) continue;
    std::vector<const NetworkGraph*> fitted;
    std::vector<double> their_weights;
    for (size_t k = 0; k < parts.size(); ++k) {
      if (!is_fitted(parts[k])) continue;
      fitted.push_back(i == earlier_.size() ? &parts[k].judged : &parts[k].earlier[i]);
      // Those that were not fitted leave their weight to the other networks, not to a rule.
      their_weights.push_back(parts[k].is_rule ? weights[k] : weights[k] * (1 - of_rules) / of_fitted);
    }
    const std::optional<NetworkGraph> mean =
        fitted.size() == 1 ? *fitted[0] : MeanGraph(dataset_.spec(), fitted, their_weights);
    if (!mean.has_value()) return losses;
    const auto judged = Judge(i < earlier_.size() ? earlier_[i] : dataset_, *mean);
    if (!judged.ok()) return judged.status();
    losses[i] = LossesOf(*judged, &OriginLosses::model);
  }
  return losses;
}

absl::Status Ladder::AddRecurrent(std::string name, double validation_error, const Weights& before_refit,
                                  ModelFile model) {
  Network network;
  network.recurrent_part = 1;
  if (!rungs_.empty() && model.spec.head == Head::kLinear && model.spec.tokens == 0) {
    network.parts.push_back({GraphOf(model.spec, before_refit), GraphOf(model.spec, model.weights), {}, false, true});
    auto losses = JudgeAll(network.parts, {1});  // as a session sees the series, from its first timestep
    if (!losses.ok()) return losses.status();
    network.losses = *std::move(losses);
  }
  network.model = std::move(model);
  Add(std::move(name), validation_error, std::move(network));
  return absl::OkStatus();
}

double Ladder::ErrorOf(const Network& network) const {
  const std::vector<std::vector<double>>& now = (networks_.empty() ? network : networks_[0]).losses;
  const bool whole = std::none_of(network.parts.begin(), network.parts.end(),
                                  [this](const LadderPart& part) { return part.earlier.size() < earlier_.size(); });
  if (!whole) {  // what is known of it is its ratio to the best one that was judged everywhere
    size_t best = 0;
    for (size_t i = 1; i < networks_.size(); ++i) {
      best = rungs_[i].validation_error < rungs_[best].validation_error ? i : best;
    }
    const double of_best = Sum(networks_[best].losses.back());
    if (of_best > 0) return rungs_[best].validation_error * Sum(network.losses.back()) / of_best;
  }
  std::vector<double> errors, of_now;
  for (size_t i = 0; i < now.size(); ++i) {
    if (network.losses[i].empty() || now[i].empty()) continue;
    errors.push_back(Sum(network.losses[i]));
    of_now.push_back(Sum(now[i]));
  }
  const auto count =
      static_cast<double>(network.losses.back().size() * dataset_.spec().horizon * dataset_.spec().outputs.size());
  const double last = of_now.empty() ? 0 : of_now.back() / std::max(count, 1.0);
  return last > 0 ? ErrorOverFolds(errors, of_now) * last : Sum(network.losses.back()) / std::max(count, 1.0);
}

void Ladder::Add(std::string name, double validation_error, Network network) {
  if (!network.losses.empty()) validation_error = ErrorOf(network);
  rungs_.push_back({std::move(name), validation_error, false});
  if (network.rungs.empty()) network.rungs = {networks_.size()};
  networks_.push_back(std::move(network));
}

}  // namespace rondo::train
