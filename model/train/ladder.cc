#include "model/train/ladder.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/network/graph.h"
#include "model/train/linear_graph.h"
#include "model/train/mean_graph.h"
#include "model/train/moments.h"
#include "model/train/result.h"

namespace rondo::train {
namespace {

constexpr double kNoise = 0.01;  // errors that differ by a smaller part say nothing
constexpr double kMeanNoise = 1.03;
constexpr double kNear = 1.25;       // the mean of networks whose errors differ by less may be better than each
constexpr double kRulesAlike = 1.1;  // the better of two naive rules is so by chance
constexpr double kSure = 0.85;       // a network that is trusted more is taken as it is
constexpr double kDoubtful = 0.1;    // and of one that is trusted less, the naive rule is taken

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

std::vector<double> LossesOf(const Evaluation& evaluation, double OriginLosses::*whose) {
  std::vector<double> losses;
  for (const OriginLosses& origin : evaluation.origins) losses.push_back(origin.*whose);
  return losses;
}

absl::StatusOr<Evaluation> Judge(const Dataset& dataset, const NetworkGraph& network) {
  const absl::StatusOr<ModelFile> model = ModelOf(dataset, network);
  if (!model.ok()) return model.status();
  return EvaluateModel(dataset, *model, /*season=*/0, Dataset::kValidation);
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

double TrustInGain(const std::vector<double>& losses, const std::vector<double>& rule_losses, int64_t together) {
  constexpr double kFlat = 1, kVaried = 0.5;
  constexpr int64_t kLeastBlocks = 4;  // fewer say nothing of how they vary
  const auto sum = [](const std::vector<double>& all) { return std::accumulate(all.begin(), all.end(), 0.0); };
  const auto count = static_cast<int64_t>(losses.size());
  if (count == 0 || losses.size() != rule_losses.size() || sum(losses) >= sum(rule_losses)) return 0;
  if (sum(losses) <= 0) return 1;
  const double independent = static_cast<double>(count + together - 1) / static_cast<double>(together);
  const double size = independent * (sum(rule_losses) / sum(losses) - 1);
  const double trust = size / (size + kFlat);
  Moments gains;  // of stretches that do not overlap
  for (int64_t begin = 0; begin + together <= count; begin += together) {
    double gain = 0;
    for (int64_t i = begin; i < begin + together; ++i) gain += rule_losses[i] - losses[i];
    gains.Add(gain);
  }
  if (gains.count() < kLeastBlocks || !(gains.std() > 0)) return trust;
  const double ratio = std::max(0.0, gains.mean()) / gains.std(), certainty = ratio * ratio * gains.count();
  return std::min(trust, certainty / (certainty + kVaried));
}

absl::Status Ladder::AddNaive() {
  const auto& outputs = dataset_.spec().outputs;
  const bool changes =
      std::none_of(outputs.begin(), outputs.end(), [](const auto& output) { return output.added_to.empty(); });
  if (!changes || !CanBeLinear(dataset_, LinearKind::kOwnWindow)) return absl::OkStatus();
  const auto add = [this](std::string name, double error, int64_t season, std::vector<double> losses) {
    NetworkGraph graph = GraphOf(dataset_, NaiveRule(dataset_, season));
    absl::StatusOr<ModelFile> model = ModelOf(dataset_, graph);
    if (!model.ok()) return model.status();
    Add(std::move(name), error, {*std::move(model), std::move(losses), {{graph, graph}}, true});
    return absl::OkStatus();
  };
  const absl::StatusOr<ModelFile> now = ModelOf(dataset_, GraphOf(dataset_, NaiveRule(dataset_, 0)));
  if (!now.ok()) return now.status();
  const auto judged = EvaluateModel(dataset_, *now, season_, Dataset::kValidation);
  if (!judged.ok()) return judged.status();
  absl::Status status =
      add("the value now", judged->losses.persistence, 0, LossesOf(*judged, &OriginLosses::persistence));
  if (!status.ok() || season_ == 0 || judged->losses.seasonal <= 0) return status;
  return add(absl::StrCat("the value ", season_, " timesteps before"), judged->losses.seasonal, season_,
             LossesOf(*judged, &OriginLosses::seasonal));
}

absl::Status Ladder::AddLinear(const TrainOptions& options, const std::function<bool()>& stop) {
  if (absl::Status status = AddNaive(); !status.ok()) return status;
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
  const absl::StatusOr<Evaluation> judged = Judge(dataset_, part.judged);
  if (!judged.ok()) return judged.status();
  if (options.refit) network->layer = network->refitted;
  part.written = GraphOf(dataset_, *network);
  absl::StatusOr<ModelFile> model = ModelOf(dataset_, part.written);
  if (!model.ok()) return model.status();
  const char* of = kind == LinearKind::kOwnWindow      ? " values of each target"
                   : kind == LinearKind::kOwnLogWindow ? " logarithms of each target"
                                                       : " values of every input";
  Add(absl::StrCat("linear on the last ", network->length, of), judged->losses.model,
      {*std::move(model), LossesOf(*judged, &OriginLosses::model), {std::move(part)}, false});
  return absl::OkStatus();
}

absl::Status Ladder::AddRecurrent(std::string name, double validation_error, const Weights& before_refit,
                                  ModelFile model) {
  Network network;
  if (!rungs_.empty() && model.spec.head == Head::kLinear && model.spec.tokens == 0) {
    Part part{GraphOf(model.spec, before_refit), GraphOf(model.spec, model.weights)};
    const absl::StatusOr<Evaluation> judged = Judge(dataset_, part.judged);
    if (!judged.ok()) return judged.status();
    validation_error = judged->losses.model;  // as a session sees the series, from its first timestep
    network.losses = LossesOf(*judged, &OriginLosses::model);
    network.parts.push_back(std::move(part));
  }
  network.model = std::move(model);
  Add(std::move(name), validation_error, std::move(network));
  return absl::OkStatus();
}

absl::Status Ladder::AddWeighted(std::string name, std::vector<Part> parts, const std::vector<double>& weights) {
  std::vector<const NetworkGraph*> judged, written;
  for (const Part& part : parts) {
    judged.push_back(&part.judged);
    written.push_back(&part.written);
  }
  const std::optional<NetworkGraph> mean = MeanGraph(dataset_.spec(), judged, weights);
  if (!mean.has_value()) return absl::OkStatus();
  const absl::StatusOr<Evaluation> evaluation = Judge(dataset_, *mean);
  if (!evaluation.ok()) return evaluation.status();
  absl::StatusOr<ModelFile> model = ModelOf(dataset_, *MeanGraph(dataset_.spec(), written, weights));
  if (!model.ok()) return model.status();
  Add(std::move(name), evaluation->losses.model,
      {*std::move(model), LossesOf(*evaluation, &OriginLosses::model), std::move(parts), false});
  return absl::OkStatus();
}

absl::Status Ladder::AddMean() {
  double least = HUGE_VAL;
  const auto is_part = [this](size_t i) { return !networks_[i].is_rule && networks_[i].parts.size() == 1; };
  for (size_t i = 0; i < rungs_.size(); ++i) least = is_part(i) ? std::min(least, rungs_[i].validation_error) : least;
  std::vector<Part> parts;
  for (size_t i = 0; i < rungs_.size(); ++i) {
    if (is_part(i) && rungs_[i].validation_error <= kNear * least) parts.push_back(networks_[i].parts[0]);
  }
  if (parts.size() < 2) return absl::OkStatus();
  const size_t before = rungs_.size(), count = parts.size();
  const std::vector<double> weights(count, 1 / static_cast<double>(count));
  absl::Status status =
      AddWeighted(absl::StrCat("the mean of the ", count, " best networks"), std::move(parts), weights);
  has_mean_ = rungs_.size() > before;
  return status;
}

absl::Status Ladder::AddDrawn() {
  if (empty()) return absl::OkStatus();
  const size_t best = Best(), rule = BestRule();
  if (rule == rungs_.size() || networks_[best].is_rule || networks_[best].parts.empty()) return absl::OkStatus();
  const double trust = Trust(best, rule);
  if (trust >= kSure) return absl::OkStatus();
  if (trust < kDoubtful) {
    drawn_ = rule;
    return absl::OkStatus();
  }
  std::vector<Part> parts = networks_[best].parts;
  std::vector<double> weights(parts.size(), trust / static_cast<double>(parts.size()));
  parts.push_back(networks_[rule].parts[0]);
  weights.push_back(1 - trust);
  const size_t before = rungs_.size();
  absl::Status status =
      AddWeighted(absl::StrFormat("%.0f%% %s, else %s", 100 * trust, rungs_[best].name, rungs_[rule].name),
                  std::move(parts), weights);
  if (rungs_.size() > before) drawn_ = before;
  return status;
}

double Ladder::Trust(size_t best, size_t rule) const {
  const auto series = static_cast<int64_t>(dataset_.set().series.size());
  return TrustInGain(networks_[best].losses, networks_[rule].losses, dataset_.spec().horizon * series);
}

void Ladder::Add(std::string name, double validation_error, Network network) {
  rungs_.push_back({std::move(name), validation_error, false});
  networks_.push_back(std::move(network));
}

size_t Ladder::BestRule() const {
  size_t best = rungs_.size();
  for (size_t i = 0; i < rungs_.size(); ++i) {
    if (!networks_[i].is_rule) continue;
    if (best == rungs_.size() || kRulesAlike * rungs_[i].validation_error < rungs_[best].validation_error) best = i;
  }
  return best;
}

size_t Ladder::Best() const {
  double least = rungs_[0].validation_error;
  for (const Rung& rung : rungs_) least = std::min(least, rung.validation_error);
  // The loss of a gaussian head may be below zero.
  const double within = least + kNoise * std::abs(least);
  size_t best = 0;
  while (rungs_[best].validation_error > within) ++best;
  if (networks_[best].is_rule) return BestRule();
  // The best of several is so by chance too; their mean is not, so that it may err a little more there.
  if (has_mean_ && rungs_.back().validation_error <= kMeanNoise * least) best = rungs_.size() - 1;
  return best;
}

const ModelFile& Ladder::Choose() {
  const size_t chosen = drawn_.value_or(Best());
  rungs_[chosen].chosen = true;
  return networks_[chosen].model;
}

}  // namespace rondo::train
