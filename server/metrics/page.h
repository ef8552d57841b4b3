#ifndef RONDO_SERVER_METRICS_PAGE_H_
#define RONDO_SERVER_METRICS_PAGE_H_

#include <array>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/metrics/metric_cells.h"

namespace prometheus {
struct ClientMetric;
struct MetricFamily;
enum class MetricType;
}  // namespace prometheus

namespace rondo {

// What /metrics says of a family beside its numbers.
struct Family {
  const char* name;
  const char* help;
  std::array<const char*, 5> labels = {};  // its own, in order; the rest are null
};

using Labels = std::vector<std::pair<const char*, std::string>>;  // name, value

// `text` as a label value that no scraper refuses: every byte that is not printable ASCII becomes '?'. (The serializer
// escapes quotes, backslashes and newlines, but passes invalid UTF-8 on, and Prometheus then drops the whole page.)
std::string LabelValue(absl::string_view text);

// Collects the families of one scrape; series of one family may come in any order.
//
// Threads: one.
class Page {
 public:
  Page();
  ~Page();

  // One series.
  void Add(const Family& family, const Labels& labels, const Counter& counter);
  void Add(const Family& family, const Labels& labels, const Gauge& gauge);
  void Add(const Family& family, const Labels& labels, const Histogram& histogram);
  void Add(const Family& family, const Labels& labels, const HistogramSum& sum);
  void Add(const Family& family, const Labels& labels, const Reading& reading);

  // A series for each cell that `cells` has, with values for the family's own labels.
  template <typename Cells>
  void Add(const Family& family, const Labels& common, const Cells& cells) {
    cells.ForEach([&](std::initializer_list<absl::string_view> values, const auto& cell) {
      Labels labels = common;
      const char* const* name = family.labels.data();
      for (absl::string_view value : values) labels.emplace_back(*name++, LabelValue(value));
      Add(family, labels, cell);
    });
  }

  const std::vector<prometheus::MetricFamily>& families() const { return families_; }
  std::string Text() const;  // in Prometheus' format

 private:
  // A new series of the family.
  prometheus::ClientMetric* Series(const Family& family, const Labels& labels, prometheus::MetricType type);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_PAGE_H_
