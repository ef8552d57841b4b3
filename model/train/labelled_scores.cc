#include "model/train/labelled_scores.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/train/svg_chart.h"

namespace rondo::train {
namespace {

double Ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// A terminal shows so many classes; all are in scores.json and in the report.
constexpr size_t kShownClasses = 20;

}  // namespace

int64_t ConfusionMatrix::total() const {
  int64_t total = 0;
  for (const int64_t count : counts_) total += count;
  return total;
}

int64_t ConfusionMatrix::actual(size_t label) const {
  int64_t sum = 0;
  for (size_t i = 0; i < classes_.size(); ++i) sum += count(label, i);
  return sum;
}

int64_t ConfusionMatrix::answered(size_t label) const {
  int64_t sum = 0;
  for (size_t i = 0; i < classes_.size(); ++i) sum += count(i, label);
  return sum;
}

double ConfusionMatrix::accuracy() const {
  int64_t right = 0;
  for (size_t i = 0; i < classes_.size(); ++i) right += count(i, i);
  return Ratio(right, total());
}

double ConfusionMatrix::precision(size_t label) const { return Ratio(count(label, label), answered(label)); }
double ConfusionMatrix::recall(size_t label) const { return Ratio(count(label, label), actual(label)); }
double ConfusionMatrix::f1(size_t label) const {
  return Ratio(2 * count(label, label), actual(label) + answered(label));
}

double ConfusionMatrix::macro_f1() const {
  double sum = 0, count = 0;
  for (size_t i = 0; i < classes_.size(); ++i) {
    if (actual(i) == 0) continue;
    sum += f1(i);
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

nlohmann::ordered_json ScoresJson(const LabelledScores& scores) {
  const ConfusionMatrix& matrix = scores.matrix;
  nlohmann::ordered_json json = {{"labels", matrix.total()},
                                 {"accuracy", matrix.accuracy()},
                                 {"macro_f1", matrix.macro_f1()},
                                 {"log_loss", scores.log_loss},
                                 {"most_frequent_class_accuracy", scores.frequent_accuracy}};
  for (size_t i = 0; i < matrix.classes().size(); ++i) {
    json["classes"].push_back({{"class", matrix.classes()[i]},
                               {"labels", matrix.actual(i)},
                               {"precision", matrix.precision(i)},
                               {"recall", matrix.recall(i)},
                               {"f1", matrix.f1(i)}});
    nlohmann::ordered_json row = nlohmann::ordered_json::array();
    for (size_t k = 0; k < matrix.classes().size(); ++k) row.push_back(matrix.count(i, k));
    json["confusion"].push_back(std::move(row));
  }
  return json;
}

std::string ScoresTable(const LabelledScores& scores) {
  const ConfusionMatrix& matrix = scores.matrix;
  std::string table = absl::StrFormat(
      "test part: accuracy %.1f%% (always the most frequent class: %.1f%%), macro F1 %.3f, log loss %.3f\n",
      100 * matrix.accuracy(), 100 * scores.frequent_accuracy, matrix.macro_f1(), scores.log_loss);
  absl::StrAppendFormat(&table, "  %-24s %8s %10s %8s %8s\n", "class", "labels", "precision", "recall", "F1");
  for (size_t i = 0; i < std::min(matrix.classes().size(), kShownClasses); ++i) {
    absl::StrAppendFormat(&table, "  %-24s %8d %10.3f %8.3f %8.3f\n", matrix.classes()[i], matrix.actual(i),
                          matrix.precision(i), matrix.recall(i), matrix.f1(i));
  }
  if (matrix.classes().size() > kShownClasses) {
    absl::StrAppend(&table, "  and ", matrix.classes().size() - kShownClasses, " more, in the report\n");
  }
  return table;
}

std::string ScoresHtml(const LabelledScores& scores) {
  const ConfusionMatrix& matrix = scores.matrix;
  std::string html = absl::StrFormat(
      "<p>Accuracy %.1f%% (always the most frequent class: %.1f%%). Macro F1 %.3f, log loss %.3f.</p>"
      "<table><tr><th>class<th>labels<th>precision<th>recall<th>F1</tr>",
      100 * matrix.accuracy(), 100 * scores.frequent_accuracy, matrix.macro_f1(), scores.log_loss);
  std::string confusion = "<h2>Confusion matrix</h2><table><tr><th>right \\ answered";
  for (size_t i = 0; i < matrix.classes().size(); ++i) {
    const std::string name = EscapeHtml(matrix.classes()[i]);
    absl::StrAppendFormat(&html, "<tr><td>%s<td>%d<td>%.3f<td>%.3f<td>%.3f</tr>", name, matrix.actual(i),
                          matrix.precision(i), matrix.recall(i), matrix.f1(i));
    absl::StrAppend(&confusion, "<th>", name);
  }
  for (size_t i = 0; i < matrix.classes().size(); ++i) {
    absl::StrAppend(&confusion, "</tr><tr><td>", EscapeHtml(matrix.classes()[i]));
    for (size_t k = 0; k < matrix.classes().size(); ++k) {
      absl::StrAppendFormat(&confusion, "<td style=\"background:rgba(31,95,191,%.2f)\">%d",
                            0.6 * Ratio(matrix.count(i, k), matrix.actual(i)), matrix.count(i, k));
    }
  }
  return absl::StrCat(html, "</table>", confusion, "</tr></table>");
}

}  // namespace rondo::train
