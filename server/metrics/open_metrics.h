#ifndef RONDO_SERVER_METRICS_OPEN_METRICS_H_
#define RONDO_SERVER_METRICS_OPEN_METRICS_H_

#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"

namespace prometheus {
struct MetricFamily;
}  // namespace prometheus

namespace rondo {

// An exemplar as a page shows it.
struct ShownExemplar {
  std::string trace_id;  // lower-case hexadecimal
  double value = 0;      // in base units
  absl::Time at;
};

// By the place of the family on the page, of the series in that, and of the bucket in that.
using ShownExemplars = std::map<std::tuple<size_t, size_t, size_t>, ShownExemplar>;

// Writes the families as OpenMetrics 1.0, which has exemplars: Debian's prometheus-cpp knows neither. The names of
// counters end in _total.
// github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
std::string OpenMetricsText(const std::vector<prometheus::MetricFamily>& families, const ShownExemplars& exemplars);

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_OPEN_METRICS_H_
