#ifndef RONDO_BASE_CALENDAR_STEP_H_
#define RONDO_BASE_CALENDAR_STEP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace rondo {

// The distance between the rows of a series, as a calendar counts it: months have 28 to 31 days, a business day is
// followed by Monday after Friday, a day of a time zone has 23 to 25 hours. A quarter is 3 months, a year 12, a week 7
// days or as many microseconds. A value.
struct CalendarStep {
  // kMonthEnd: every time is on the last day of a month.
  enum class Unit { kUnknown, kMicrosecond, kDay, kBusinessDay, kMonth, kMonthEnd };
  Unit unit = Unit::kUnknown;
  int64_t count = 0;

  bool known() const { return unit != Unit::kUnknown; }
  // The mean length; 0: unknown.
  double seconds() const;
  friend bool operator==(const CalendarStep& a, const CalendarStep& b) {
    return a.unit == b.unit && a.count == b.count;
  }
};

// "3600s", "0.5s", "1 day", "1 business day", "3 month", "1 month end"; empty: unknown.
std::string StepText(const CalendarStep& step);
// INVALID_ARGUMENT: no such text.
absl::StatusOr<CalendarStep> ParseStep(absl::string_view text);

// Times are unix microseconds from here on.

// Returns how many steps lead from `origin` to `time`; nothing if no number of steps does. REQUIRES: step.known().
std::optional<int64_t> StepsBetween(const CalendarStep& step, const absl::TimeZone& zone, int64_t origin, int64_t time);

// Returns the time that lies `steps` after `origin`. REQUIRES: step.known(), and the result is of the years 1 to 9999.
int64_t AddSteps(const CalendarStep& step, const absl::TimeZone& zone, int64_t origin, int64_t steps);

// Finds the step that rows follow each other by: the one distance that they all have, else that of a calendar which all
// of them fit, else the most frequent distance. `series` has the times of each series, which grow. Unknown: no series
// has two rows.
CalendarStep FindStep(absl::Span<const std::vector<int64_t>> series, const absl::TimeZone& zone);

}  // namespace rondo

#endif  // RONDO_BASE_CALENDAR_STEP_H_
