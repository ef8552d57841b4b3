#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/train/report.h"

namespace rondo::train {
namespace {

using Json = nlohmann::ordered_json;

// Rounds to six significant digits, which is what a score is worth.
double Rounded(double value) {
  if (!std::isfinite(value) || value == 0) return 0;
  const double scale = std::pow(10, 5 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

Json ErrorsJson(const Errors& errors, double level_std) {
  return {{"mae", Rounded(errors.mae())},
          {"rmse", Rounded(errors.rmse())},
          {"mse", Rounded(errors.mse())},
          {"mae_standardised", Rounded(errors.mae() / level_std)},
          {"rmse_standardised", Rounded(errors.rmse() / level_std)},
          {"mse_standardised", Rounded(errors.mse() / (level_std * level_std))}};
}

// The worst of many series come first, so that none is hidden by the mean.
constexpr size_t kNamedSeries = 10;

std::vector<SeriesScores> WorstFirst(std::vector<SeriesScores> all) {
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.skill() < b.skill(); });
  return all;
}

double MedianSkill(const std::vector<SeriesScores>& sorted) {
  return sorted.empty() ? 0 : sorted[sorted.size() / 2].skill();
}

Json BySeriesJson(const std::vector<SeriesScores>& all) {
  const std::vector<SeriesScores> sorted = WorstFirst(all);
  Json json = {{"count", sorted.size()}, {"median_skill", Rounded(MedianSkill(sorted))}};
  for (const SeriesScores& one : sorted) {
    json["series"].push_back({{"name", one.series},
                              {"mae", Rounded(one.model.mae())},
                              {"rmse", Rounded(one.model.rmse())},
                              {"mase", Rounded(one.mase())},
                              {"naive_mae", Rounded(one.naive().mae())},
                              {"skill", Rounded(one.skill())}});
  }
  return json;
}

Json OutputJson(const OutputScores& scores, int64_t season) {
  Json json = {{"name", scores.name},
               {"model", ErrorsJson(scores.model, scores.level_std)},
               {"persistence", ErrorsJson(scores.persistence, scores.level_std)},
               {"skill", Rounded(scores.skill())}};
  if (season > 0 && scores.seasonal.count > 0) {
    json["seasonal_naive"] = ErrorsJson(scores.seasonal, scores.level_std);
    json["seasonal_skill"] = Rounded(scores.seasonal_skill());
  }
  json["mase"] = Rounded(scores.median_mase());
  if (scores.by_series.size() > 1) json["by_series"] = BySeriesJson(scores.by_series);
  for (const auto& [quantile, part] : scores.coverage) json["coverage"][absl::StrCat(quantile)] = Rounded(part);
  if (scores.model_by_horizon.size() > 1) {
    for (size_t i = 0; i < scores.model_by_horizon.size(); ++i) {
      json["by_horizon"].push_back({{"ahead", i + 1},
                                    {"mae", Rounded(scores.model_by_horizon[i].mae())},
                                    {"rmse", Rounded(scores.model_by_horizon[i].rmse())},
                                    {"persistence_mae", Rounded(scores.persistence_by_horizon[i].mae())}});
      if (!scores.band_coverage.empty()) json["by_horizon"].back()["band_coverage"] = Rounded(scores.band_coverage[i]);
    }
  }
  return json;
}

void AppendRow(std::string* table, const std::string& label, const Errors& errors, double level_std) {
  absl::StrAppendFormat(table, "  %-28s %10.4g %10.4g %10.4g   %10.4g %10.4g\n", label, errors.mae(), errors.rmse(),
                        errors.mse(), errors.mae() / level_std, errors.mse() / (level_std * level_std));
}

std::string Verdict(const OutputScores& scores, const Evaluation& evaluation) {
  const OutputScores::Headline headline = scores.headline(evaluation.squared);
  const std::string rule = headline.seasonal ? absl::StrCat("seasonal naive (", evaluation.season, ")") : "persistence";
  const double percent = 100 * headline.skill;
  if (std::abs(percent) < 2) return absl::StrFormat("no skill: within %.1f%% of %s", std::abs(percent), rule);
  return absl::StrFormat("%s %.1f%% %s %s, the best naive rule", evaluation.squared ? "MSE" : "MAE", std::abs(percent),
                         percent > 0 ? "below" : "ABOVE", rule);
}

// Says how many series are worse than the best naive rule, and names the worst.
std::string SeriesTable(const OutputScores& scores) {
  const std::vector<SeriesScores> sorted = WorstFirst(scores.by_series);
  if (sorted.size() < 2) return "";
  const auto worse = std::count_if(sorted.begin(), sorted.end(), [](const auto& one) { return one.skill() < 0; });
  std::string table =
      absl::StrFormat("    %d series: median MAE %.1f%% below the best naive rule, %d ABOVE it; the worst:\n",
                      sorted.size(), 100 * MedianSkill(sorted), worse);
  for (size_t i = 0; i < std::min(kNamedSeries, sorted.size()); ++i) {
    const SeriesScores& one = sorted[i];
    absl::StrAppendFormat(&table, "      %-24s MAE %.4g, best naive rule %.4g (%+.1f%%), MASE %.3f\n", one.series,
                          one.model.mae(), one.naive().mae(), -100 * one.skill(), one.mase());
  }
  return table;
}

// Returns the mean over the outputs of an error in deviations of the output, which makes them comparable.
double MeanStandardised(const Evaluation& evaluation, Errors OutputScores::*rule, bool squared) {
  double sum = 0;
  for (const OutputScores& scores : evaluation.outputs) {
    const Errors& errors = scores.*rule;
    sum += squared ? errors.mse() / (scores.level_std * scores.level_std) : errors.mae() / scores.level_std;
  }
  return sum / evaluation.outputs.size();
}

}  // namespace

nlohmann::ordered_json ScoresJson(const Evaluation& evaluation) {
  Json json = {{"part", "test"}, {"timesteps", evaluation.timesteps}};
  if (evaluation.outputs.empty()) {
    json["cross_entropy"] = Rounded(evaluation.cross_entropy);
    json["accuracy"] = Rounded(evaluation.accuracy);
    json["most_frequent_token_accuracy"] = Rounded(evaluation.frequent_accuracy);
    return json;
  }
  if (evaluation.season > 0) json["season"] = evaluation.season;
  json["mean"] = {
      {"mse_standardised", Rounded(MeanStandardised(evaluation, &OutputScores::model, true))},
      {"mae_standardised", Rounded(MeanStandardised(evaluation, &OutputScores::model, false))},
      {"persistence_mse_standardised", Rounded(MeanStandardised(evaluation, &OutputScores::persistence, true))}};
  if (evaluation.season > 0) {
    json["mean"]["seasonal_mse_standardised"] = Rounded(MeanStandardised(evaluation, &OutputScores::seasonal, true));
  }
  json["outputs"] = Json::array();
  for (const OutputScores& scores : evaluation.outputs)
    json["outputs"].push_back(OutputJson(scores, evaluation.season));
  return json;
}

std::string ScoresTable(const Evaluation& evaluation) {
  std::string table = absl::StrFormat("test part: %d timesteps\n", evaluation.timesteps);
  if (evaluation.outputs.empty()) {
    absl::StrAppendFormat(&table,
                          "  cross entropy %.4f nats, perplexity %.2f, next token right %.1f%%, always the most "
                          "frequent %.1f%%\n",
                          evaluation.cross_entropy, std::exp(evaluation.cross_entropy), 100 * evaluation.accuracy,
                          100 * evaluation.frequent_accuracy);
    return table;
  }
  absl::StrAppendFormat(&table, "  %-28s %10s %10s %10s   %10s %10s\n", "", "MAE", "RMSE", "MSE", "MAE std.",
                        "MSE std.");
  if (evaluation.outputs.size() > 1) {
    absl::StrAppendFormat(&table, "  %-28s %45.4g %10.4g\n", "mean of all, in deviations",
                          MeanStandardised(evaluation, &OutputScores::model, false),
                          MeanStandardised(evaluation, &OutputScores::model, true));
  }
  for (const OutputScores& scores : evaluation.outputs) {
    AppendRow(&table, scores.name, scores.model, scores.level_std);
    AppendRow(&table, "  persistence", scores.persistence, scores.level_std);
    if (evaluation.season > 0 && scores.seasonal.count > 0) {
      AppendRow(&table, absl::StrCat("  seasonal naive (", evaluation.season, ")"), scores.seasonal, scores.level_std);
    }
    absl::StrAppend(&table, "  ", scores.name, ": ", Verdict(scores, evaluation), "\n", SeriesTable(scores));
    for (const auto& [quantile, part] : scores.coverage) {
      absl::StrAppendFormat(&table, "    quantile %.3g: %.1f%% of the values at or below it\n", quantile, 100 * part);
    }
  }
  return table;
}

}  // namespace rondo::train
