// What a ladder makes of its networks, and which one it chooses; ladder.cc judges and adds them.

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/train/ladder.h"
#include "model/train/ladder_margins.h"
#include "model/train/mean_graph.h"
#include "model/train/model_assembly.h"
#include "model/train/network_part.h"
#include "model/train/rolling_origin.h"

namespace rondo::train {
namespace {

constexpr double kRulesAlike = 1.1;  // the better of two naive rules is so by chance
constexpr double kByChance = 0.9;    // choosing for each series gains less than this part by chance
// What part of a mean with each rule a network is expected to be before it is judged. The value now may be the best
// forecast there is, as of a random walk; that of one season before repeats the noise of a single season.
constexpr double kBeforeNow = 0, kBeforeSeason = 0.5;

}  // namespace

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
  for (size_t i = 0; i < rungs.size(); ++i) network.recurrent_part += weights[i] * networks_[rungs[i]].recurrent_part;
  network.rungs = std::move(rungs);
  network.weights = weights;
  Add(std::move(name), 0, std::move(network));
  return absl::OkStatus();
}

absl::Status Ladder::AddMeans() {
  double least = HUGE_VAL;
  const auto is_part = [this](size_t i) { return !networks_[i].is_rule && networks_[i].parts.size() == 1; };
  for (size_t i = 0; i < rungs_.size(); ++i) least = is_part(i) ? std::min(least, rungs_[i].validation_error) : least;
  std::vector<size_t> near, linear;
  for (size_t i = 0; i < rungs_.size(); ++i) {
    if (!is_part(i) || rungs_[i].validation_error > kNear * least) continue;
    near.push_back(i);
    if (networks_[i].recurrent_part == 0) linear.push_back(i);
  }
  if (linear.size() < near.size()) {
    if (absl::Status status = AddMeanOf("linear networks", std::move(linear)); !status.ok()) return status;
  }
  return AddMeanOf("networks", std::move(near));
}

absl::Status Ladder::AddMeanOf(const char* what, std::vector<size_t> rungs) {
  if (rungs.size() < 2) return absl::OkStatus();
  const size_t before = rungs_.size(), count = rungs.size();
  const std::vector<double> weights(count, 1 / static_cast<double>(count));
  absl::Status status = AddWeighted(absl::StrCat("the mean of the ", count, " best ", what), std::move(rungs), weights);
  if (rungs_.size() > before) means_.push_back(before);
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
  const double error = rungs_[network].validation_error, part = networks_[network].recurrent_part;
  if (part == 0 || rungs_.size() == 1) return error;
  // Where a network seems to be better and is not, a mean seems so by this part of it: errors are squares. Of a short
  // dataset the other networks of a mean were judged on earlier stretches too.
  const double seems = part == 1 || folds_.empty() ? part * (2 - part) : 0;
  return error / (1 - seems * (1 - ClearlyLess(dataset_)));
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
  for (const size_t mean : means_) best = ErrorToChooseBy(mean) <= kMeanNoise * least ? mean : best;
  return best;
}

const ModelFile& Ladder::Choose() {
  const size_t chosen = drawn_.value_or(Best());
  rungs_[chosen].chosen = true;
  return networks_[chosen].model;
}

}  // namespace rondo::train
