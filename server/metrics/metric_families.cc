#include "server/metrics/metric_families.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"

namespace rondo {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Family(std::string name, std::string help, MetricType type) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

}  // namespace

std::string LabelValue(absl::string_view text) {
  std::string value(text);
  for (char& c : value) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return value;
}

std::vector<uint64_t> LatencyBounds(uint64_t from, uint64_t to) {
  std::vector<uint64_t> bounds;
  for (uint64_t decade = from; decade < to; decade *= 10) {
    for (uint64_t tenths : {10, 15, 20, 30, 50, 70}) bounds.push_back(decade * tenths / 10);
  }
  bounds.push_back(to);
  return bounds;
}

uint64_t Nanoseconds(absl::Duration duration) {
  return static_cast<uint64_t>(std::max<int64_t>(0, absl::ToInt64Nanoseconds(duration)));
}

MetricFamily CounterFamily(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), MetricType::Counter);
}
MetricFamily GaugeFamily(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), MetricType::Gauge);
}
MetricFamily HistogramFamily(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), MetricType::Histogram);
}

void AddCounter(double value, MetricLabels labels, MetricFamily* family) {
  ClientMetric& metric = family->metric.emplace_back();
  metric.label = std::move(labels);
  metric.counter.value = value;
}

void AddGauge(double value, MetricLabels labels, MetricFamily* family) {
  ClientMetric& metric = family->metric.emplace_back();
  metric.label = std::move(labels);
  metric.gauge.value = value;
}

void AddHistogram(const Histogram& histogram, double units_per_base, MetricLabels labels, MetricFamily* family) {
  const Histogram::Snapshot snapshot = histogram.Read();
  ClientMetric& metric = family->metric.emplace_back();
  metric.label = std::move(labels);
  metric.histogram.bucket.reserve(snapshot.counts.size());
  uint64_t cumulative = 0;
  for (size_t i = 0; i < snapshot.counts.size(); ++i) {
    cumulative += snapshot.counts[i];
    const bool last = i == histogram.bounds().size();
    // By name, not as an aggregate: newer prometheus-cpp counts in double, and braces would refuse to narrow.
    ClientMetric::Bucket& bucket = metric.histogram.bucket.emplace_back();
    bucket.cumulative_count = cumulative;
    bucket.upper_bound =
        last ? std::numeric_limits<double>::infinity() : static_cast<double>(histogram.bounds()[i]) / units_per_base;
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = static_cast<double>(snapshot.sum) / units_per_base;
}

void AppendProcessFamilies(const ProcessStats& stats, std::vector<MetricFamily>* families) {
  families->push_back(CounterFamily("process_cpu_seconds_total", "User and system CPU time spent, in seconds."));
  AddCounter(stats.cpu_seconds, {}, &families->back());
  const auto gauge = [&](const char* name, const char* help, double value) {
    families->push_back(GaugeFamily(name, help));
    AddGauge(value, {}, &families->back());
  };
  gauge("process_start_time_seconds", "Start time of the process, in seconds since the unix epoch.",
        stats.start_time_seconds);
  gauge("process_threads", "Threads of the process.", static_cast<double>(stats.threads));
  gauge("process_virtual_memory_bytes", "Virtual memory size, in bytes.",
        static_cast<double>(stats.virtual_memory_bytes));
  gauge("process_resident_memory_bytes", "Resident memory size, in bytes.",
        static_cast<double>(stats.resident_memory_bytes));
  gauge("process_open_fds", "Open file descriptors.", static_cast<double>(stats.open_fds));
  gauge("process_max_fds", "Most file descriptors that may be open.", static_cast<double>(stats.max_fds));
}

MetricFamily BuildInfoFamily() {
  MetricFamily family = GaugeFamily("rondo_build_info", "Always 1; the labels say what was built, and with what.");
  AddGauge(1, {{"version", RONDO_VERSION}, {"compiler", LabelValue(RONDO_COMPILER)}}, &family);
  return family;
}

}  // namespace rondo
