#include "model/train/report.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/train/svg_chart.h"

namespace rondo::train {
namespace {

constexpr char kModelColor[] = "#1f5fbf", kActualColor[] = "#333333", kRuleColor[] = "#d08a1d",
               kSeasonColor[] = "#7a9a3a";
constexpr char kStyle[] =
    "body{font:15px/1.45 system-ui,sans-serif;max-width:940px;margin:24px auto;padding:0 16px;color:#222}"
    "h1{font-size:24px}h2{font-size:18px;margin:28px 0 6px}svg{width:100%;height:auto;font:12px system-ui,sans-serif}"
    "svg text{fill:#444}svg .label{fill:#222;font-weight:600}.grid{stroke:#e3e3e3}"
    "table{border-collapse:collapse}td,th{padding:4px 14px 4px 0;text-align:right;border-bottom:1px solid #e3e3e3}"
    "td:first-child,th:first-child{text-align:left}p{margin:4px 0}";

std::string Row(const std::string& label, const Errors& errors, double level_std, const std::string& skill) {
  return absl::StrFormat("<tr><td>%s<td>%.4g<td>%.4g<td>%.4g<td>%.4g<td>%.4g<td>%s</tr>", EscapeHtml(label),
                         errors.mae(), errors.rmse(), errors.mse(), errors.mae() / level_std,
                         errors.mse() / (level_std * level_std), skill);
}

std::string Scores(const Evaluation& evaluation) {
  if (evaluation.outputs.empty()) {
    return absl::StrFormat("<p>Next token right: %.1f%% (always the most frequent token: %.1f%%). Perplexity %.2f.</p>",
                           100 * evaluation.accuracy, 100 * evaluation.frequent_accuracy,
                           std::exp(evaluation.cross_entropy));
  }
  std::string html = "<table><tr><th><th>MAE<th>RMSE<th>MSE<th>MAE std.<th>MSE std.<th>MAE against persistence</tr>";
  for (const OutputScores& scores : evaluation.outputs) {
    const double percent = 100 * scores.skill();
    const std::string verdict =
        std::abs(percent) < 2 ? absl::StrFormat("%+.1f%%: no skill", -percent) : absl::StrFormat("%+.1f%%", -percent);
    absl::StrAppend(&html, Row(scores.name, scores.model, scores.level_std, verdict),
                    Row("persistence", scores.persistence, scores.level_std, ""));
    if (evaluation.season > 0 && scores.seasonal.count > 0) {
      absl::StrAppend(&html, Row(absl::StrCat("seasonal naive (", evaluation.season, " timesteps)"), scores.seasonal,
                                 scores.level_std, ""));
    }
  }
  return absl::StrCat(html,
                      "</table><p>Persistence says the value of now, seasonal naive that of one season before. "
                      "std.: in standard deviations of the training part.</p>");
}

// Shows for each output which part of the values came at or below each quantile. If the head is right, that part is the
// quantile.
std::string Coverage(const Evaluation& evaluation) {
  if (evaluation.outputs.empty() || evaluation.outputs[0].coverage.empty()) return "";
  std::string html = "<h2>Values at or below each quantile</h2><table><tr><th>";
  for (const auto& [quantile, part] : evaluation.outputs[0].coverage) absl::StrAppendFormat(&html, "<th>%g", quantile);
  for (const OutputScores& scores : evaluation.outputs) {
    absl::StrAppend(&html, "</tr><tr><td>", EscapeHtml(scores.name));
    for (const auto& [quantile, part] : scores.coverage) absl::StrAppendFormat(&html, "<td>%.1f%%", 100 * part);
  }
  return absl::StrCat(html, "</tr></table>");
}

// Lists the networks that were tried.
std::string LadderRows(const std::vector<Rung>& ladder) {
  if (ladder.size() < 2) return "";
  std::string html = "<h2>Networks tried</h2><table><tr><th><th>squared error, validation part<th></tr>";
  for (const Rung& rung : ladder) {
    absl::StrAppendFormat(&html, "<tr><td>%s<td>%.5g<td>%s</tr>", EscapeHtml(rung.name), rung.validation_error,
                          rung.chosen ? "taken" : "");
  }
  return absl::StrCat(html,
                      "</table><p>The simplest within 1% of the least error is taken, a recurrent one only if it is "
                      "clearly better, or the mean within 3%, and "
                      "drawn to a naive rule as far as the validation part is too short to be sure.</p>");
}

std::string Kept(const LearningState& learning) {
  if (learning.refused) {
    return "<p>Nothing that was learnt beat the mean by more than chance on the validation part: the mean is kept.</p>";
  }
  return absl::StrFormat(
      "<p>Best after epoch %d: validation loss %.5g (standardised).%s</p>", learning.best_epoch, learning.best_loss,
      learning.refit_epochs > 0 ? " Then as many epochs again with the validation part included." : "");
}

std::string LearningCurves(const LearningState& learning) {
  if (learning.validation_losses.empty()) return "";
  LineChart chart;
  chart.x_label = "epoch";
  chart.y_label = "loss";
  std::vector<double> training = {std::numeric_limits<double>::quiet_NaN()};
  training.insert(training.end(), learning.training_losses.begin(), learning.training_losses.end());
  chart.lines = {{"training", kRuleColor, training}, {"validation", kModelColor, learning.validation_losses}};
  return absl::StrCat("<h2>Learning curves</h2>", RenderLineChart(chart), Kept(learning));
}

// Says what lies between a forecast's lower and upper line.
std::string BandLabel(const ModelSpec& spec) {
  if (spec.head != Head::kQuantile) return "80% band";
  return absl::StrFormat("quantiles %g to %g", spec.quantiles.front(), spec.quantiles.back());
}

// Draws the line from timestep `first` on.
std::string ForecastChart(const ForecastLine& line, const std::string& band_label, size_t first) {
  const auto from = [first](const auto& values) {
    return values.empty() ? values : std::decay_t<decltype(values)>(values.begin() + first, values.end());
  };
  LineChart chart;
  chart.x_label = line.times.empty() ? "timestep of the test part" : "";
  chart.y_label = line.name;
  chart.first_x = static_cast<double>(first);
  for (const int64_t time : from(line.times)) chart.times.push_back(UnixSeconds(time));
  chart.lower = from(line.lower);
  chart.upper = from(line.upper);
  chart.band_label = band_label;
  chart.lines = {{"actual", kActualColor, from(line.actual)}, {"forecast", kModelColor, from(line.forecast)}};
  return RenderLineChart(chart);
}

// Draws all of the test part, and its end near enough to see single timesteps.
std::string ForecastCharts(const ForecastLine& line, const ModelSpec& spec) {
  constexpr size_t kNear = 60;
  if (line.actual.empty()) return "";
  const std::string label = BandLabel(spec);
  std::string html =
      absl::StrCat("<h2>Forecast one timestep ahead against actual, test part</h2>", ForecastChart(line, label, 0));
  if (line.actual.size() > 2 * kNear) absl::StrAppend(&html, ForecastChart(line, label, line.actual.size() - kNear));
  return html;
}

std::string HorizonChart(const Evaluation& evaluation) {
  std::string html;
  for (const OutputScores& scores : evaluation.outputs) {
    if (scores.model_by_horizon.size() < 2) break;  // the table of scores has it all
    const bool seasonal = evaluation.season > 0 && scores.seasonal.count > 0;
    BarChart chart;
    chart.y_label = absl::StrCat("MAE of ", scores.name);
    chart.bars = {"model", "persistence"};
    chart.colors = {kModelColor, kRuleColor};
    if (seasonal) {
      chart.bars.push_back("seasonal naive");
      chart.colors.push_back(kSeasonColor);
    }
    for (size_t i = 0; i < scores.model_by_horizon.size(); ++i) {
      chart.groups.push_back(absl::StrCat("+", i + 1));
      chart.values.push_back({scores.model_by_horizon[i].mae(), scores.persistence_by_horizon[i].mae()});
      if (seasonal) chart.values.back().push_back(scores.seasonal_by_horizon[i].mae());
    }
    absl::StrAppend(&html, RenderBarChart(chart));
    if (&scores - evaluation.outputs.data() == 7) break;  // a page of eight charts is enough
  }
  return html.empty() ? "" : absl::StrCat("<h2>Error by horizon</h2>", html);
}

// Draws boxes from the inputs to the outputs, each with its size.
std::string NetworkChart(const ModelSpec& spec) {
  std::vector<std::pair<std::string, std::string>> boxes;
  if (spec.tokens > 0) {
    boxes.emplace_back("embedding", absl::StrCat(spec.tokens, " tokens to ", spec.embedding_size));
  } else {
    boxes.emplace_back("inputs", absl::StrCat(spec.inputs.size(), " values, ", 2 * spec.calendar.size(), " calendar"));
  }
  for (int64_t k = 0; k < spec.num_layers && spec.graph == nullptr; ++k) {
    boxes.emplace_back(absl::StrCat(CellName(spec.cell), " layer ", k + 1), absl::StrCat(spec.hidden_size, " units"));
  }
  if (spec.graph != nullptr) boxes.emplace_back("graph", absl::StrCat(spec.graph->nodes().size(), " elements"));
  boxes.emplace_back(absl::StrCat(HeadName(spec.head), " head"),
                     absl::StrCat(spec.horizon, " x ", spec.outputs.size(), " x ", spec.values_per_output()));
  constexpr double kBoxWidth = 150, kGap = 36, kBoxHeight = 62;
  const double width = boxes.size() * (kBoxWidth + kGap);
  std::string svg = absl::StrFormat(
      "<svg viewBox=\"0 0 %g 84\" style=\"max-width:%gpx\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">", width,
      width);
  for (size_t i = 0; i < boxes.size(); ++i) {
    const double x = i * (kBoxWidth + kGap) + 2;
    absl::StrAppendFormat(
        &svg, "<rect x=\"%g\" y=\"10\" width=\"%g\" height=\"%g\" rx=\"6\" fill=\"#eef3fb\" stroke=\"%s\"/>", x,
        kBoxWidth, kBoxHeight, kModelColor);
    absl::StrAppendFormat(&svg, "<text x=\"%g\" y=\"37\" text-anchor=\"middle\" class=\"label\">%s</text>",
                          x + kBoxWidth / 2, EscapeHtml(boxes[i].first));
    absl::StrAppendFormat(&svg, "<text x=\"%g\" y=\"57\" text-anchor=\"middle\">%s</text>", x + kBoxWidth / 2,
                          EscapeHtml(boxes[i].second));
    if (i + 1 == boxes.size()) break;
    absl::StrAppendFormat(&svg, "<path d=\"M%g 41h%gm-7-5l7 5l-7 5\" fill=\"none\" stroke=\"#555\"/>",
                          x + kBoxWidth + 3, kGap - 6);
  }
  std::vector<std::string> outputs;
  for (size_t i = 0; i < std::min<size_t>(8, spec.outputs.size()); ++i) {
    const OutputFeature& output = spec.outputs[i];
    outputs.push_back(EscapeHtml(output.added_to.empty() ? output.name : absl::StrCat("change of ", output.added_to)));
  }
  if (outputs.size() < spec.outputs.size()) outputs.push_back("...");
  return absl::StrCat("<h2>Network</h2>", svg, "</svg><p>Predicts ", absl::StrJoin(outputs, ", "), ".</p>");
}

}  // namespace

std::string RenderReport(const ReportSource& source) {
  std::string html =
      absl::StrCat("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>", EscapeHtml(source.title),
                   "</title><style>", kStyle, "</style></head><body><h1>", EscapeHtml(source.title), "</h1>");
  for (const std::string& fact : source.facts) absl::StrAppend(&html, "<p>", EscapeHtml(fact), "</p>");
  absl::StrAppend(&html, "<h2>Scores on the test part</h2>", Scores(source.evaluation), Coverage(source.evaluation),
                  LadderRows(source.ladder), LearningCurves(source.learning),
                  ForecastCharts(source.evaluation.line, source.spec), HorizonChart(source.evaluation),
                  NetworkChart(source.spec), "</body></html>\n");
  return html;
}

}  // namespace rondo::train
