#ifndef RONDO_SERVER_METRICS_PAGE_H_
#define RONDO_SERVER_METRICS_PAGE_H_

#include <array>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/metrics/metric_cells.h"
#include "server/metrics/open_metrics.h"

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
  std::array<const char*, kMostLabels> labels = {};  // its own, in order; the rest are null
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
  void Add(const Family& family, const Labels& labels, const Reading& reading);
  void Add(const Family& family, const Labels& labels, const Histogram::Snapshot& snapshot);
  // The series of a cell; of LabelledCells one for each, with values for the family's own labels.
  template <typename Cell>
  void Add(const Family& family, const Labels& common, const Cell& cell) {
    if constexpr (std::is_base_of_v<LabelledCells, Cell>) {
      cell.ForEach([&](absl::Span<const absl::string_view> values, const auto& one) {
        Labels labels = common;
        const char* const* name = family.labels.data();
        for (absl::string_view value : values) labels.emplace_back(*name++, LabelValue(value));
        Add(family, labels, one);
      });
    } else {
      Add(family, common, cell.Read());
    }
  }

  const std::vector<prometheus::MetricFamily>& families() const { return families_; }
  std::string Text() const;         // in Prometheus' format
  std::string OpenMetrics() const;  // with exemplars

 private:
  // The place of the family, which is made if there is none.
  size_t PlaceOf(const Family& family, prometheus::MetricType type);
  // A new series of the family.
  prometheus::ClientMetric* Series(const Family& family, const Labels& labels, prometheus::MetricType type);

  std::vector<prometheus::MetricFamily> families_;
  ShownExemplars exemplars_;
};

// Adds what was built, and the process_* families that every Prometheus client library has. Any thread.
void ShowProcess(Page* page);

// What a part of the server counts. A probe is a class whose members are its families, one row a family:
//
//   struct KitchenProbe : Probe {
//     Metric<Counter> meals{this, {"rondo_meals_total", "Meals served."}};
//   };
//
// The part counts with probe->meals.Add(); the page shows every member.
//
// Threads: the cells may be used from any thread, and so may Show.
class Probe {
 public:
  Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  // Adds every family to the page, each series with the labels in `common` before its own.
  void Show(const Labels& common, Page* page) const {
    for (const auto& row : rows_) row(common, page);
  }

 protected:
  ~Probe() = default;

 private:
  template <typename Cell>
  friend class Metric;

  std::vector<std::function<void(const Labels& common, Page* page)>> rows_;  // in the order of the members
};

// One family of a probe and the cells it counts with. The cell says the type: Counter, Gauge, Histogram, or a class
// with ForEach over such cells and the values of the family's own labels.
template <typename Cell>
class Metric : public Cell {
 public:
  // The cell is made from `arguments`.
  template <typename... Arguments>
  Metric(Probe* probe, Family family, Arguments&&... arguments)
      : Cell(std::forward<Arguments>(arguments)...), family_(family) {
    probe->rows_.push_back([this](const Labels& common, Page* page) { page->Add(family_, common, cell()); });
  }

 private:
  const Cell& cell() const { return *this; }

  const Family family_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_PAGE_H_
