#include "client/cli/later_rows.h"

#include <algorithm>
#include <utility>

namespace rondo {

void LaterRows::Add(CsvRow row, bool is_promise, std::string time) {
  const auto promise = std::find_if(rows_.begin(), rows_.end(), [](const Held& held) { return held.is_promise; });
  auto place = rows_.end();
  if (!time.empty()) {
    place = std::find_if(promise, rows_.end(), [&](const Held& held) { return held.time == time; });
  } else if (!is_promise && !fills_) {
    place = promise;
  }
  if (!is_promise) std::for_each(promise, place, [](Held& held) { held.is_promise = false; });
  Held held{std::move(row), is_promise, std::move(time)};
  if (place == rows_.end()) {
    rows_.push_back(std::move(held));
  } else {
    *place = std::move(held);
  }
}

std::optional<CsvRow> LaterRows::Take() {
  if (waiting() == nullptr || rows_.size() <= ahead_) return std::nullopt;
  return TakeIncomplete();
}

std::optional<CsvRow> LaterRows::TakeIncomplete() {
  if (rows_.empty()) return std::nullopt;
  CsvRow row = std::move(rows_.front().row);
  rows_.pop_front();
  for (size_t i = 0; i < std::min(ahead_, rows_.size()); ++i) row.later.push_back(rows_[i].row.cells);
  return row;
}

}  // namespace rondo
