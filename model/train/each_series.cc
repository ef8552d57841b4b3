#include "model/train/each_series.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/train/ladder_margins.h"
#include "model/train/network_part.h"
#include "model/train/result.h"
#include "model/train/rolling_origin.h"
#include "model/train/series_graph.h"

namespace rondo::train {

EachSeries::EachSeries(const Dataset& dataset, const std::vector<Dataset>& earlier, std::vector<LadderPart> parts,
                       std::vector<double> shared, std::function<bool()> stop)
    : dataset_(dataset), parts_(std::move(parts)), shared_(std::move(shared)), stop_(std::move(stop)) {
  Dataset with = dataset.WithSeriesInputs();
  for (const Dataset& fold : earlier) {
    stretches_.push_back(with.WithParts(fold.segments(Dataset::kTraining), fold.segments(Dataset::kValidation)));
  }
  stretches_.push_back(std::move(with));
}

absl::StatusOr<std::optional<SeriesMean>> EachSeries::Choose() {
  if (absl::Status status = JudgeAll(); !status.ok()) return status;
  if (of_shared_.empty() || singles_[0].empty()) return std::nullopt;
  ChooseMeans();
  absl::StatusOr<SeriesLosses> judged = Judge(means_);
  if (!judged.ok()) return judged.status();
  of_means_ = *std::move(judged);
  if (of_means_.empty()) return std::nullopt;
  if (absl::Status status = DrawToBase(); !status.ok()) return status;
  return Write();
}

EachSeries::Shares EachSeries::Single(size_t part) const {
  std::vector<double> one(parts_.size());
  one[part] = 1;
  return Shares(dataset_.set().series.size(), one);
}

const NetworkGraph* EachSeries::Fitted(size_t part, size_t stretch) const {
  if (stretch + 1 == stretches_.size()) return &parts_[part].judged;
  const std::vector<NetworkGraph>& earlier = parts_[part].earlier;
  return stretch < earlier.size() && !earlier[stretch].elements.empty() ? &earlier[stretch] : nullptr;
}

std::vector<double> EachSeries::FittedShares(const std::vector<double>& shares, size_t stretch) const {
  double of_rules = 0, of_fitted = 0;
  std::vector<double> fitted(shares.size());
  for (size_t k = 0; k < shares.size(); ++k) {
    if (Fitted(k, stretch) == nullptr) continue;
    (parts_[k].is_rule ? of_rules : of_fitted) += fitted[k] = shares[k];
  }
  // Those that were not fitted leave their share to the other networks, not to a rule.
  const double whole = Sum(shares) - of_rules;
  if (whole > 0 && !(of_fitted > 0)) return {};
  for (size_t k = 0; k < shares.size(); ++k) fitted[k] *= parts_[k].is_rule || !(of_fitted > 0) ? 1 : whole / of_fitted;
  return fitted;
}

absl::StatusOr<EachSeries::SeriesLosses> EachSeries::Judge(const Shares& shares) const {
  SeriesLosses losses(stretches_.size(), std::vector<std::vector<double>>(shares.size()));
  for (size_t i = 0; i < stretches_.size(); ++i) {
    Shares fitted;
    for (const std::vector<double>& its : shares) fitted.push_back(FittedShares(its, i));
    std::vector<WeightedNetwork> networks;
    for (size_t k = 0; k < parts_.size(); ++k) {
      WeightedNetwork one = {Fitted(k, i), {}, 0};
      for (const std::vector<double>& its : fitted) one.weights.push_back(its.empty() ? 0 : its[k]);
      if (one.network != nullptr && Sum(one.weights) > 0) networks.push_back(std::move(one));
    }
    if (networks.empty()) continue;
    if (stop_()) return SeriesLosses();
    const std::optional<NetworkGraph> mean = SeriesMeanGraph(dataset_.spec(), networks);
    if (!mean.has_value()) return SeriesLosses();
    const absl::StatusOr<ModelFile> model = ModelOf(stretches_[i], *mean);
    if (!model.ok()) return model.status();
    if (!model->spec.Validate().ok()) return SeriesLosses();  // an input cannot be named as a series is
    const absl::StatusOr<Evaluation> judged = EvaluateModel(stretches_[i], *model, /*season=*/0, Dataset::kValidation);
    if (absl::IsInternal(judged.status())) return SeriesLosses();  // an answer is not finite
    if (!judged.ok()) return judged.status();
    for (const OriginLosses& origin : judged->origins) {
      if (!fitted[origin.series].empty()) losses[i][origin.series].push_back(origin.model);
    }
  }
  return losses;
}

double EachSeries::Error(const SeriesLosses& losses, size_t series) const {
  if (losses.empty()) return HUGE_VAL;
  const auto error = [&](const SeriesLosses& its) {
    std::vector<double> errors, of_now;
    for (size_t i = 0; i < its.size(); ++i) {
      if (its[i][series].empty()) continue;
      errors.push_back(Sum(its[i][series]));
      of_now.push_back(Sum(singles_[0][i][series]));
    }
    return ErrorOverFolds(errors, of_now);
  };
  const auto is_whole = [&](const SeriesLosses& its) {
    for (size_t i = 0; i < its.size(); ++i) {
      if (its[i][series].size() != singles_[0][i][series].size()) return false;
    }
    return true;
  };
  if (is_whole(losses)) return error(losses);
  double least = HUGE_VAL;
  const SeriesLosses* best = nullptr;
  for (const SeriesLosses& its : singles_) {
    if (its.empty() || !is_whole(its) || error(its) >= least) continue;
    least = error(its);
    best = &its;
  }
  const double of_best = best == nullptr ? 0 : Sum(best->back()[series]);
  return of_best > 0 && !losses.back()[series].empty() ? least * Sum(losses.back()[series]) / of_best : HUGE_VAL;
}

absl::Status EachSeries::JudgeAll() {
  for (size_t k = 0; k < parts_.size(); ++k) {
    absl::StatusOr<SeriesLosses> judged = Judge(Single(k));
    if (!judged.ok()) return judged.status();
    singles_.push_back(*std::move(judged));
  }
  absl::StatusOr<SeriesLosses> judged = Judge(Shares(dataset_.set().series.size(), shared_));
  if (!judged.ok()) return judged.status();
  of_shared_ = *std::move(judged);
  return absl::OkStatus();
}

// Sets, for each series, what it would have without a choice of its own, and the mean of the networks that are about as
// good as the best one.
void EachSeries::ChooseMeans() {
  const double clearly = ClearlyLess(dataset_);
  for (size_t s = 0; s < dataset_.set().series.size(); ++s) {
    if (!(Sum(singles_[0].back()[s]) > 0)) {  // nothing is known of how well it is told
      base_rules_.push_back(parts_.size());
      for (Shares* shares : {&bases_, &means_, &chosen_}) shares->push_back(shared_);
      continue;
    }
    std::vector<double> errors;
    double least = HUGE_VAL;
    for (size_t k = 0; k < parts_.size(); ++k) {
      errors.push_back(Error(singles_[k], s) / (parts_[k].is_recurrent ? clearly : 1));
      if (!parts_[k].is_rule) least = std::min(least, errors[k]);
    }
    const double of_shared = Error(of_shared_, s);
    size_t base = parts_.size();
    double of_base = of_shared;
    for (size_t k = 0; k < parts_.size(); ++k) {
      if (!parts_[k].is_rule || errors[k] >= of_base) continue;
      base = k;
      of_base = errors[k];
    }
    base_rules_.push_back(base);
    bases_.push_back(base < parts_.size() ? Single(base)[s] : shared_);
    least = std::min(least, of_shared);
    std::vector<double> mean(parts_.size());
    double count = 0;
    for (size_t k = 0; k < parts_.size(); ++k) {
      if (parts_[k].is_rule || errors[k] > kNear * least) continue;
      mean[k] += 1;
      ++count;
    }
    if (of_shared <= kNear * least) {
      for (size_t k = 0; k < parts_.size(); ++k) mean[k] += shared_[k];
      ++count;
    }
    for (double& share : mean) share /= std::max(1.0, count);
    means_.push_back(count > 0 ? std::move(mean) : bases_.back());
    chosen_.push_back(means_.back());
  }
}

// Takes the network that all share or a single one for a series where that is better than the mean.
std::vector<const EachSeries::SeriesLosses*> EachSeries::TakeSimpler() {
  const double clearly = ClearlyLess(dataset_);
  std::vector<const SeriesLosses*> taken;
  for (size_t s = 0; s < chosen_.size(); ++s) {
    std::vector<double> errors;
    for (size_t k = 0; k < parts_.size(); ++k) {
      errors.push_back(Error(singles_[k], s) / (parts_[k].is_recurrent ? clearly : 1));
    }
    errors.push_back(Error(of_shared_, s));
    const double of_mean = Error(of_means_, s);
    const double least = std::min(of_mean, *std::min_element(errors.begin(), errors.end()));
    taken.push_back(&of_means_);
    if (of_mean <= kMeanNoise * least) continue;
    size_t best = parts_.size();
    for (size_t k = 0; k < parts_.size() && errors[best] > (1 + kNoise) * least; ++k) {
      if (errors[k] <= (1 + kNoise) * least) best = k;
    }
    taken.back() = best < parts_.size() ? &singles_[best] : &of_shared_;
    chosen_[s] = best < parts_.size() ? Single(best)[s] : shared_;
  }
  return taken;
}

// Draws what is taken for each series to what it would have without a choice of its own.
absl::Status EachSeries::DrawToBase() {
  const std::vector<const SeriesLosses*> taken = TakeSimpler();
  const size_t series = chosen_.size();
  Shares half = chosen_;
  for (size_t s = 0; s < series; ++s) {
    for (size_t k = 0; k < parts_.size(); ++k) half[s][k] = (chosen_[s][k] + bases_[s][k]) / 2;
  }
  const absl::StatusOr<SeriesLosses> of_half = Judge(half);
  if (!of_half.ok()) return of_half.status();
  const ModelSpec& spec = dataset_.spec();
  const Overlap overlap = {spec.horizon, 1, static_cast<int64_t>(spec.outputs.size())};
  for (size_t s = 0; s < series && !of_half->empty(); ++s) {
    if (chosen_[s] == bases_[s]) continue;
    const SeriesLosses& of_base = base_rules_[s] < parts_.size() ? singles_[base_rules_[s]] : of_shared_;
    std::vector<StretchLosses> stretches;
    for (size_t i = 0; i < stretches_.size(); ++i) {
      stretches.push_back({(*taken[s])[i][s], of_base[i][s], (*of_half)[i][s]});
    }
    double part = NetworkPart(stretches, overlap, base_rules_[s] == 0 ? 0 : 0.5);
    part = part < kDoubtful ? 0 : part >= kSure ? 1 : part;
    for (size_t k = 0; k < parts_.size(); ++k) {
      chosen_[s][k] = part * chosen_[s][k] + (1 - part) * bases_[s][k];
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<SeriesMean>> EachSeries::Write() const {
  if (std::all_of(chosen_.begin(), chosen_.end(), [this](const auto& its) { return its == shared_; }))
    return std::nullopt;
  absl::StatusOr<SeriesLosses> judged = Judge(chosen_);
  if (!judged.ok()) return judged.status();
  std::vector<WeightedNetwork> networks;
  for (size_t k = 0; k < parts_.size(); ++k) {
    WeightedNetwork one = {&parts_[k].written, {}, shared_[k]};
    for (const std::vector<double>& its : chosen_) one.weights.push_back(its[k]);
    if (Sum(one.weights) + one.unknown > 0) networks.push_back(std::move(one));
  }
  const std::optional<NetworkGraph> mean = SeriesMeanGraph(dataset_.spec(), networks);
  if (!mean.has_value() || judged->empty()) return std::nullopt;
  absl::StatusOr<ModelFile> model = ModelOf(stretches_.back(), *mean);
  if (!model.ok()) return model.status();
  SeriesMean result = {*std::move(model), {}, networks.size()};
  for (size_t i = 0; i < stretches_.size(); ++i) {
    std::vector<double>& losses = result.losses.emplace_back();
    for (const std::vector<double>& its : (*judged)[i]) losses.insert(losses.end(), its.begin(), its.end());
    size_t whole = 0;
    for (const std::vector<double>& its : singles_[0][i]) whole += its.size();
    if (losses.size() < whole) losses.clear();  // what some series err says nothing of all
  }
  return result;
}

}  // namespace rondo::train
