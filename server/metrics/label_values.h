#ifndef RONDO_SERVER_METRICS_LABEL_VALUES_H_
#define RONDO_SERVER_METRICS_LABEL_VALUES_H_

#include <array>
#include <cstddef>
#include <utility>

#include "absl/strings/string_view.h"

namespace rondo {

// How many values an enum has whose values are 0, 1, 2, ... and whose label values are given by one switch without a
// default, `constexpr absl::string_view LabelOf(E)`: a value without a case there does not compile (-Wswitch).
template <typename E>
constexpr size_t CountOf() {
  size_t count = 0;
  while (!LabelOf(static_cast<E>(count)).empty()) ++count;
  return count;
}

// A cell for each value of an enum, which is the value of one label.
template <typename Cell, typename E>
class PerLabel {
 public:
  // Every cell is made from `arguments`.
  template <typename... Arguments>
  explicit PerLabel(const Arguments&... arguments) : PerLabel(std::make_index_sequence<kCount>(), arguments...) {}

  Cell& operator[](E value) { return cells_[static_cast<size_t>(value)]; }
  const Cell& operator[](E value) const { return cells_[static_cast<size_t>(value)]; }

  // show(label_values, cell) for each value in turn.
  template <typename Show>
  void ForEach(Show show) const {
    for (size_t i = 0; i < kCount; ++i) show({LabelOf(static_cast<E>(i))}, cells_[i]);
  }

 private:
  static constexpr size_t kCount = CountOf<E>();

  template <size_t... kIndices, typename... Arguments>
  explicit PerLabel(std::index_sequence<kIndices...>, const Arguments&... arguments)
      : cells_{{(static_cast<void>(kIndices), Cell(arguments...))...}} {}

  std::array<Cell, kCount> cells_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_LABEL_VALUES_H_
