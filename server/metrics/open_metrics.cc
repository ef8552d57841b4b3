#include "server/metrics/open_metrics.h"

#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "prometheus/metric_family.h"

namespace rondo {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// The shortest text that is read as this number again.
std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::string text;
  for (int digits = 15; digits <= 17; ++digits) {
    text = absl::StrFormat("%.*g", digits, value);
    if (std::strtod(text.c_str(), nullptr) == value) break;
  }
  return text;
}

// A number as the label of a bucket: the standard wants whole ones as "10.0".
std::string Bound(double value) {
  std::string text = Number(value);
  const bool whole = text.find_first_not_of("0123456789") == std::string::npos;
  return whole ? absl::StrCat(text, ".0") : text;
}

std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
}

// `le`: of a bucket; empty: the series is none.
std::string LabelsOf(const ClientMetric& series, absl::string_view le = "") {
  std::string text;
  for (const ClientMetric::Label& label : series.label) {
    absl::StrAppend(&text, text.empty() ? "" : ",", label.name, "=\"", Escaped(label.value), "\"");
  }
  if (!le.empty()) absl::StrAppend(&text, text.empty() ? "" : ",", "le=\"", le, "\"");
  return text.empty() ? "" : absl::StrCat("{", text, "}");
}

// Writes one page.
class Writer {
 public:
  explicit Writer(const ShownExemplars& exemplars) : exemplars_(exemplars) {}

  void Write(const MetricFamily& family, size_t place) {
    absl::string_view name = family.name;
    const bool counts = family.type == MetricType::Counter && absl::ConsumeSuffix(&name, "_total");
    const char* const type = family.type == MetricType::Histogram ? "histogram" : counts ? "counter" : "gauge";
    absl::StrAppend(&text_, "# HELP ", name, " ", Escaped(family.help), "\n# TYPE ", name, " ", type, "\n");
    for (size_t i = 0; i < family.metric.size(); ++i) {
      const ClientMetric& series = family.metric[i];
      if (family.type == MetricType::Histogram) {
        WriteHistogram(family.name, series, {place, i});
      } else {
        Sample(family.name, LabelsOf(series), counts ? series.counter.value : series.gauge.value);
      }
    }
  }
  std::string End() { return absl::StrCat(text_, "# EOF\n"); }

 private:
  void Sample(absl::string_view name, absl::string_view labels, double value, absl::string_view exemplar = "") {
    absl::StrAppend(&text_, name, labels, " ", Number(value), exemplar, "\n");
  }
  // `place`: of its family and of itself.
  void WriteHistogram(absl::string_view name, const ClientMetric& series, std::pair<size_t, size_t> place) {
    const ClientMetric::Histogram& histogram = series.histogram;
    for (size_t i = 0; i < histogram.bucket.size(); ++i) {
      Sample(absl::StrCat(name, "_bucket"), LabelsOf(series, Bound(histogram.bucket[i].upper_bound)),
             static_cast<double>(histogram.bucket[i].cumulative_count), ExemplarAt({place.first, place.second, i}));
    }
    const std::string labels = LabelsOf(series);
    Sample(absl::StrCat(name, "_count"), labels, static_cast<double>(histogram.sample_count));
    Sample(absl::StrCat(name, "_sum"), labels, histogram.sample_sum);
  }
  std::string ExemplarAt(const ShownExemplars::key_type& place) const {
    const auto found = exemplars_.find(place);
    if (found == exemplars_.end()) return "";
    const auto& [trace_id, value, at] = found->second;
    return absl::StrFormat(" # {trace_id=\"%s\"} %s %.3f", trace_id, Number(value),
                           static_cast<double>(absl::ToUnixMillis(at)) / 1e3);
  }

  const ShownExemplars& exemplars_;
  std::string text_;
};

}  // namespace

std::string OpenMetricsText(const std::vector<MetricFamily>& families, const ShownExemplars& exemplars) {
  Writer writer(exemplars);
  for (size_t place = 0; place < families.size(); ++place) writer.Write(families[place], place);
  return writer.End();
}

}  // namespace rondo
