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

Json OutputJson(const OutputScores& scores, int64_t season) {
  Json json = {{"name", scores.name},
               {"model", ErrorsJson(scores.model, scores.level_std)},
               {"persistence", ErrorsJson(scores.persistence, scores.level_std)},
               {"skill", Rounded(scores.skill())}};
  if (season > 0 && scores.seasonal.count > 0) {
    json["seasonal_naive"] = ErrorsJson(scores.seasonal, scores.level_std);
    json["seasonal_skill"] = Rounded(scores.seasonal_skill());
  }
  for (const auto& [quantile, part] : scores.coverage) json["coverage"][absl::StrCat(quantile)] = Rounded(part);
  if (scores.model_by_horizon.size() > 1) {
    for (size_t i = 0; i < scores.model_by_horizon.size(); ++i) {
      json["by_horizon"].push_back({{"ahead", i + 1},
                                    {"mae", Rounded(scores.model_by_horizon[i].mae())},
                                    {"persistence_mae", Rounded(scores.persistence_by_horizon[i].mae())}});
    }
  }
  return json;
}

void AppendRow(std::string* table, const std::string& label, const Errors& errors, double level_std) {
  absl::StrAppendFormat(table, "  %-28s %10.4g %10.4g %10.4g   %10.4g %10.4g\n", label, errors.mae(), errors.rmse(),
                        errors.mse(), errors.mae() / level_std, errors.mse() / (level_std * level_std));
}

std::string Verdict(const OutputScores& scores) {
  const double percent = 100 * scores.skill();
  if (std::abs(percent) < 2) return absl::StrFormat("no skill: within %.1f%% of persistence", std::abs(percent));
  return absl::StrFormat("MAE %.1f%% %s persistence", std::abs(percent), percent > 0 ? "below" : "ABOVE");
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
  for (const OutputScores& scores : evaluation.outputs) {
    AppendRow(&table, scores.name, scores.model, scores.level_std);
    AppendRow(&table, "  persistence", scores.persistence, scores.level_std);
    if (evaluation.season > 0 && scores.seasonal.count > 0) {
      AppendRow(&table, absl::StrCat("  seasonal naive (", evaluation.season, ")"), scores.seasonal, scores.level_std);
    }
    absl::StrAppend(&table, "  ", scores.name, ": ", Verdict(scores), "\n");
    for (const auto& [quantile, part] : scores.coverage) {
      absl::StrAppendFormat(&table, "    quantile %.3g: %.1f%% of the values at or below it\n", quantile, 100 * part);
    }
  }
  return table;
}

}  // namespace rondo::train
