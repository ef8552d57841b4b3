#ifndef RONDO_SERVER_METRICS_PROBE_H_
#define RONDO_SERVER_METRICS_PROBE_H_

#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "server/metrics/page.h"

namespace rondo {

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
    for (const Row& row : rows_) row.show(row.metric, common, page);
  }

 protected:
  ~Probe() = default;

 private:
  template <typename Cell>
  friend class Metric;

  struct Row {
    const void* metric;
    void (*show)(const void* metric, const Labels& common, Page* page);
  };
  std::vector<Row> rows_;  // in the order of the members
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
    probe->rows_.push_back({this, [](const void* metric, const Labels& common, Page* page) {
                              const auto& self = *static_cast<const Metric*>(metric);
                              page->Add(self.family_, common, static_cast<const Cell&>(self));
                            }});
  }

 private:
  const Family family_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_PROBE_H_
