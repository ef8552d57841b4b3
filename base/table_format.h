#ifndef RONDO_BASE_TABLE_FORMAT_H_
#define RONDO_BASE_TABLE_FORMAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/calendar_step.h"
#include "base/time_text.h"

namespace rondo {

// What becomes of a cell without a value: an error; the value before it; or that, and steps that are missing altogether
// are put in. What was put in is never learned from or scored as a target.
enum class Missing { kError, kForwardFill, kMask };
inline constexpr Missing kMissings[] = {Missing::kError, Missing::kForwardFill, Missing::kMask};
absl::string_view MissingName(Missing missing);  // "error", "forward_fill", "mask"

// Says in which unit the values of a column are sent: (value - offset) / scale. A float keeps 7 digits, so that values
// that differ in their last digits only, or are too large for it, are sent in a unit of their own.
struct ColumnUnit {
  std::string column;
  std::string series;  // whose values; empty: of every series without a unit of its own
  double offset = 0;
  double scale = 1;  // > 0
};

// Says how a table is written and how its rows follow each other: what a model was trained on, and so how a table for
// it is read. A value.
struct TableFormat {
  char delimiter = ',';
  char decimal = '.';
  char thousands = '\0';                    // stands between groups of three digits; '\0': none
  std::vector<std::string> missing_values;  // that stand for no value, beside those that always do
  std::string time_column;                  // empty: the table has none, or nobody said which
  std::string time_format;                  // see TimeReading; empty: recognised
  std::string time_zone;                    // IANA's name; empty: UTC
  CalendarStep step;
  std::string series_column;  // names a row's series; empty: one series
  Missing missing = Missing::kError;
  int64_t season = 0;  // timesteps; 0: none was found
  std::vector<ColumnUnit> units;

  // Returns the unit of a column in a series.
  ColumnUnit UnitOf(absl::string_view column, absl::string_view series) const;
};

// INVALID_ARGUMENT: there is no such zone on this machine.
absl::StatusOr<TimeReading> ReadingOf(const TableFormat& format);

// Reads a number. Nothing: the cell has no value, since it is empty, NA, N/A, #N/A, NaN, None, null, missing, ?, ., -,
// or \N, in any case, or one of the format's own texts. TRUE and FALSE are 1 and 0. INVALID_ARGUMENT says what came,
// what was wanted and what may help.
absl::StatusOr<std::optional<double>> ParseCell(absl::string_view text, const TableFormat& format);

// "; --delimiter=; may read it" if the only cell of a header looks like several with another delimiter; else empty.
std::string DelimiterAdvice(const std::vector<std::string>& header);

}  // namespace rondo

#endif  // RONDO_BASE_TABLE_FORMAT_H_
