#ifndef RONDO_SERVER_METRICS_METRIC_FAMILIES_H_
#define RONDO_SERVER_METRICS_METRIC_FAMILIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "prometheus/metric_family.h"
#include "server/metrics/metric_cells.h"
#include "server/metrics/process_stats.h"

namespace rondo {

using MetricLabels = std::vector<prometheus::ClientMetric::Label>;

// `text` as a label value that no scraper refuses: every byte that is not printable ASCII becomes '?'. (The serializer
// escapes quotes, backslashes and newlines, but passes invalid UTF-8 on, and Prometheus then drops the whole page.)
std::string LabelValue(absl::string_view text);

// Bounds of a histogram of nanoseconds, which is shown in seconds: six a decade, so that a p50 or p99 read from them is
// within a third. `from` times a power of ten is `to`.
std::vector<uint64_t> LatencyBounds(uint64_t from, uint64_t to);
inline constexpr double kNanosecondsPerSecond = 1e9;
// 0 if negative.
uint64_t Nanoseconds(absl::Duration duration);

prometheus::MetricFamily CounterFamily(std::string name, std::string help);
prometheus::MetricFamily GaugeFamily(std::string name, std::string help);
prometheus::MetricFamily HistogramFamily(std::string name, std::string help);

void AddCounter(double value, MetricLabels labels, prometheus::MetricFamily* family);
void AddGauge(double value, MetricLabels labels, prometheus::MetricFamily* family);
// `units_per_base`: how many units of the histogram make one base unit, e.g. 1e9 for nanoseconds shown in seconds.
void AddHistogram(const Histogram& histogram, double units_per_base, MetricLabels labels,
                  prometheus::MetricFamily* family);

// The process_* families every Prometheus client library has, and rondo_build_info.
void AppendProcessFamilies(const ProcessStats& stats, std::vector<prometheus::MetricFamily>* families);
prometheus::MetricFamily BuildInfoFamily();

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_METRIC_FAMILIES_H_
