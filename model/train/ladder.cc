#include "model/train/ladder.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/train/linear_graph.h"
#include "model/train/mean_graph.h"
#include "model/train/model_assembly.h"
#include "model/train/network_part.h"
#include "model/train/result.h"
#include "model/train/rolling_origin.h"

namespace rondo::train {
namespace {

constexpr double kNoise = 0.01;  // errors that differ by a smaller part say nothing
constexpr double kMeanNoise = 1.03;
constexpr double kNear = 1.25;       // the mean of networks whose errors differ by less may be better than each
constexpr double kRulesAlike = 1.1;  // the better of two naive rules is so by chance
constexpr double kSure = 0.7;        // a network that would be a larger part of a mean is taken as it is
constexpr double kDoubtful = 0.1;    // and where it would be a smaller one, the naive rule is taken
constexpr double kByChance = 0.9;    // choosing for each series gains less than this part by chance
// What part of a mean with each rule a network is expected to be before it is judged. The value now may be the best
// forecast there is, as of a random walk; that of one season before repeats the noise of a single season.
constexpr double kBeforeNow = 0, kBeforeSeason = 0.5;

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

double Sum(const std::vector<double>& all) { return std::accumulate(all.begin(), all.end(), 0.0); }

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
  network.is_recurrent = true;
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

absl::Status Ladder::AddWeighted(std::string name, std::vector<size_t> rungs, const std::vector<double>& weights) {
  std::vector<LadderPart> parts;
  for (const size_t rung : rungs) parts.push_back(networks_[rung].parts[0]);
  std::vector<const NetworkGraph*> written;
  for (const LadderPart& part : parts) written.push_back(&part.written);
  const std::optional<NetworkGraph> mean = MeanGraph(dataset_.spec(), written, weights);
  if (!mean.has_value()) return absl::OkStatus();
  auto losses = JudgeAll(parts, weights);
  if (!losses.ok()) return losses.status();
  absl::StatusOr<ModelFile> model = ModelOf(dataset_.spec(), *mean);
  if (!model.ok()) return model.status();
  Network network = {*std::move(model), *std::move(losses), std::move(parts)};
  network.rungs = std::move(rungs);
  network.weights = weights;
  Add(std::move(name), 0, std::move(network));
  return absl::OkStatus();
}

absl::Status Ladder::AddMean() {
  double least = HUGE_VAL;
  const auto is_part = [this](size_t i) { return !networks_[i].is_rule && networks_[i].parts.size() == 1; };
  for (size_t i = 0; i < rungs_.size(); ++i) least = is_part(i) ? std::min(least, rungs_[i].validation_error) : least;
  std::vector<size_t> near;
  for (size_t i = 0; i < rungs_.size(); ++i) {
    if (is_part(i) && rungs_[i].validation_error <= kNear * least) near.push_back(i);
  }
  if (near.size() < 2) return absl::OkStatus();
  const size_t before = rungs_.size(), count = near.size();
  const std::vector<double> weights(count, 1 / static_cast<double>(count));
  absl::Status status =
      AddWeighted(absl::StrCat("the mean of the ", count, " best networks"), std::move(near), weights);
  has_mean_ = rungs_.size() > before;
  return status;
}

absl::Status Ladder::AddDrawn() {
  if (empty()) return absl::OkStatus();
  const size_t best = Best(), rule = BestRule();
  if (rule == rungs_.size() || networks_[best].is_rule || networks_[best].parts.empty()) return absl::OkStatus();
  std::vector<LadderPart> parts = networks_[best].parts;
  const auto count = static_cast<double>(parts.size());
  parts.push_back(networks_[rule].parts[0]);
  std::vector<double> weights(parts.size(), 0.5 / count);
  weights.back() = 0.5;
  const auto half = JudgeAll(parts, weights);
  if (!half.ok()) return half.status();
  if (half->back().empty()) return absl::OkStatus();  // their mean would be too large
  const double part = PartOf(best, rule, *half);
  if (part >= kSure) return absl::OkStatus();
  if (part < kDoubtful) {
    drawn_ = rule;
    return absl::OkStatus();
  }
  std::fill(weights.begin(), weights.end(), part / count);
  weights.back() = 1 - part;
  std::vector<size_t> whose = networks_[best].rungs;
  whose.push_back(rule);
  const size_t before = rungs_.size();
  absl::Status status =
      AddWeighted(absl::StrFormat("%.0f%% %s, else %s", 100 * part, rungs_[best].name, rungs_[rule].name),
                  std::move(whose), weights);
  if (rungs_.size() > before) drawn_ = before;
  return status;
}

double Ladder::PartOf(size_t best, size_t rule, const std::vector<std::vector<double>>& half) const {
  std::vector<StretchLosses> stretches;
  for (size_t i = 0; i < half.size(); ++i) {
    stretches.push_back({networks_[best].losses[i], networks_[rule].losses[i], half[i]});
  }
  const ModelSpec& spec = dataset_.spec();
  const Overlap overlap = {spec.horizon, static_cast<int64_t>(dataset_.set().series.size()),
                           static_cast<int64_t>(spec.outputs.size())};
  return NetworkPart(stretches, overlap, rule == 0 ? kBeforeNow : kBeforeSeason);  // the value now is the first rung
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

absl::Status Ladder::AddOfEachSeries(const TrainOptions& options, const std::function<bool()>& stop) {
  if (rungs_.empty() || !networks_[0].is_rule || !CanKnowSeries(dataset_)) return absl::OkStatus();
  const size_t chosen = drawn_.value_or(Best());
  if (networks_[chosen].parts.empty()) return absl::OkStatus();
  std::vector<LadderPart> parts;
  std::vector<double> shared;
  for (size_t i = 0; i < rungs_.size(); ++i) {
    if (networks_[i].parts.size() != 1) continue;
    parts.push_back(networks_[i].parts[0]);
    double share = 0;
    for (size_t k = 0; k < networks_[chosen].rungs.size(); ++k) {
      share += networks_[chosen].rungs[k] == i ? networks_[chosen].weights[k] : 0;
    }
    shared.push_back(share);
  }
  for (const LinearKind kind : {LinearKind::kOwnWindow, LinearKind::kOwnLogWindow, LinearKind::kAllWindows}) {
    if (kind == LinearKind::kAllWindows && options.columns_as_series) continue;
    std::optional<LadderPart> part = OfEachSeries(dataset_, kind, OptionsOfLinear(options, stop));
    if (!part.has_value()) continue;
    parts.push_back(*std::move(part));
    shared.push_back(0);
  }
  absl::StatusOr<std::optional<SeriesMean>> mean =
      EachSeries(dataset_, earlier_, std::move(parts), std::move(shared), stop).Choose();
  if (!mean.ok() || !mean->has_value()) return mean.status();
  Network network = {std::move((*mean)->model), std::move((*mean)->losses), {}};
  network.knows_series = true;
  Add(absl::StrCat("what is best for each series of ", (*mean)->networks, " networks"), 0, std::move(network));
  const bool is_better = rungs_.back().validation_error < kByChance * rungs_[chosen].validation_error;
  drawn_ = is_better ? rungs_.size() - 1 : chosen;
  return absl::OkStatus();
}

bool Ladder::knows_series() const {
  for (size_t i = 0; i < rungs_.size(); ++i) {
    if (rungs_[i].chosen) return networks_[i].knows_series;
  }
  return false;
}

size_t Ladder::BestRule() const {
  size_t best = rungs_.size();
  for (size_t i = 0; i < rungs_.size(); ++i) {
    if (!networks_[i].is_rule) continue;
    if (best == rungs_.size() || kRulesAlike * rungs_[i].validation_error < rungs_[best].validation_error) best = i;
  }
  return best;
}

double Ladder::ErrorToChooseBy(size_t network) const {
  const double error = rungs_[network].validation_error;
  return networks_[network].is_recurrent && rungs_.size() > 1 ? error / ClearlyLess(dataset_) : error;
}

size_t Ladder::Best() const {
  double least = ErrorToChooseBy(0);
  for (size_t i = 0; i < rungs_.size(); ++i) least = std::min(least, ErrorToChooseBy(i));
  // The loss of a gaussian head may be below zero.
  const double within = least + kNoise * std::abs(least);
  size_t best = 0;
  while (ErrorToChooseBy(best) > within) ++best;
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
