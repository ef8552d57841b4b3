#ifndef RONDO_SERVER_METRICS_LABELLED_CELLS_H_
#define RONDO_SERVER_METRICS_LABELLED_CELLS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "server/metrics/metric_cells.h"

namespace rondo {

// The number of values of an enum whose values are 0, 1, 2, ... and last kCount.
template <typename E>
inline constexpr size_t kCountOf = static_cast<size_t>(E::kCount);

// What an enum's LabelOf returns: the label of `value` out of the labels of all values, in their order.
template <typename E>
constexpr absl::string_view Pick(E value, const std::array<absl::string_view, kCountOf<E>>& labels) {
  return labels[static_cast<size_t>(value)];
}

template <typename E>
constexpr bool EachHasALabel() {
  for (size_t i = 0; i < kCountOf<E>; ++i) {
    if (LabelOf(static_cast<E>(i)).empty()) return false;
  }
  return true;
}

// A cell for each value of an enum, which is the value of one label: `constexpr absl::string_view LabelOf(E)`.
template <typename Cell, typename E>
class PerLabel : public LabelledCells {
 public:
  // Every cell is made from `arguments`.
  template <typename... Arguments>
  explicit PerLabel(const Arguments&... arguments) : PerLabel(std::make_index_sequence<kCountOf<E>>(), arguments...) {}

  Cell& operator[](E value) { return cells_[static_cast<size_t>(value)]; }
  const Cell& operator[](E value) const { return cells_[static_cast<size_t>(value)]; }

  template <typename Show>
  void ForEach(Show show) const {
    for (size_t i = 0; i < cells_.size(); ++i) show({LabelOf(static_cast<E>(i))}, cells_[i]);
  }

 private:
  static_assert(EachHasALabel<E>(), "an enumerator has no label");

  template <size_t... kIndices, typename... Arguments>
  explicit PerLabel(std::index_sequence<kIndices...>, const Arguments&... arguments)
      : cells_{{(static_cast<void>(kIndices), Cell(arguments...))...}} {}

  std::array<Cell, kCountOf<E>> cells_;
};

// A number for each version of each model: labels `model`, `version`, and those that are given with the number.
//
// Threads: every method may be called from any thread.
class PerVersion : public LabelledCells {
 public:
  struct Row {
    double number;
    std::vector<std::string> labels;  // kMostLabels - 2 at most
  };
  using Rows = std::map<std::pair<std::string, int64_t>, Row>;  // by model and version

  void Replace(Rows rows) {
    const MutexLock lock(&mutex_);
    rows_ = std::move(rows);
  }

  template <typename Show>
  void ForEach(Show show) const {
    const MutexLock lock(&mutex_);
    for (const auto& [key, row] : rows_) {
      const std::string version = absl::StrCat(key.second);
      std::array<absl::string_view, kMostLabels> values = {key.first, version};
      std::copy(row.labels.begin(), row.labels.end(), values.begin() + 2);
      show(absl::MakeConstSpan(values.data(), 2 + row.labels.size()), Reading{row.number});
    }
  }

 private:
  mutable Mutex mutex_;
  Rows rows_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_LABELLED_CELLS_H_
