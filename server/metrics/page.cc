#include "server/metrics/page.h"

#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace rondo {

namespace {

std::string HexOf(const std::array<uint8_t, 16>& bytes) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string LabelValue(absl::string_view text) {
  std::string value(text);
  for (char& c : value) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  return value;
}

Page::Page() = default;
Page::~Page() = default;

std::string Page::Text() const { return prometheus::TextSerializer().Serialize(families_); }

std::string Page::OpenMetrics() const { return OpenMetricsText(families_, exemplars_); }

size_t Page::PlaceOf(const Family& family, MetricType type) {
  auto found = absl::c_find_if(families_, [&](const MetricFamily& other) { return other.name == family.name; });
  if (found == families_.end()) {
    found = families_.emplace(found);
    found->name = family.name;
    found->help = family.help;
    found->type = type;
  }
  return found - families_.begin();
}

ClientMetric* Page::Series(const Family& family, const Labels& labels, MetricType type) {
  ClientMetric& series = families_[PlaceOf(family, type)].metric.emplace_back();
  for (const auto& [name, value] : labels) series.label.push_back({name, value});
  return &series;
}

void Page::Add(const Family& family, const Labels& labels, const Reading& reading) {
  ClientMetric* const series = Series(family, labels, reading.only_grows ? MetricType::Counter : MetricType::Gauge);
  series->counter.value = series->gauge.value = reading.value;  // the one of the family's type is shown
}

void Page::Add(const Family& family, const Labels& labels, const Histogram::Snapshot& snapshot) {
  const Buckets& buckets = *snapshot.buckets;
  ClientMetric::Histogram& shown = Series(family, labels, MetricType::Histogram)->histogram;
  shown.bucket.reserve(snapshot.counts.size());
  uint64_t cumulative = 0;
  for (size_t i = 0; i < snapshot.counts.size(); ++i) {
    cumulative += snapshot.counts[i];
    const bool last = i == buckets.bounds.size();
    // By name, not as an aggregate: newer prometheus-cpp counts in double, and braces would refuse to narrow.
    ClientMetric::Bucket& bucket = shown.bucket.emplace_back();
    bucket.cumulative_count = cumulative;
    bucket.upper_bound = last ? std::numeric_limits<double>::infinity()
                              : static_cast<double>(buckets.bounds[i]) / buckets.units_per_base;
  }
  const size_t place = PlaceOf(family, MetricType::Histogram);
  for (size_t i = 0; i < snapshot.exemplars.size(); ++i) {
    const Exemplar& exemplar = snapshot.exemplars[i];
    if (exemplar.at == absl::InfinitePast()) continue;
    exemplars_[{place, families_[place].metric.size() - 1, i}] = {HexOf(exemplar.trace_id),
                                                                  exemplar.value / buckets.units_per_base, exemplar.at};
  }
  shown.sample_count = cumulative;
  shown.sample_sum = static_cast<double>(snapshot.sum) / buckets.units_per_base;
}

}  // namespace rondo
