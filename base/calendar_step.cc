#include "base/calendar_step.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"

namespace rondo {
namespace {

using Unit = CalendarStep::Unit;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86400 * kSecond;
constexpr int64_t kBusinessDaysOfWeek = 5;
const absl::CivilDay kAMonday(1970, 1, 5);

constexpr std::pair<Unit, absl::string_view> kNames[] = {{Unit::kDay, " day"},
                                                         {Unit::kBusinessDay, " business day"},
                                                         {Unit::kMonth, " month"},
                                                         {Unit::kMonthEnd, " month end"}};

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// A time as a wall clock of a zone shows it.
struct Local {
  absl::CivilDay day;
  int64_t microsecond_of_day;
};

Local ToLocal(int64_t time, const absl::TimeZone& zone) {
  const absl::CivilSecond second = absl::ToCivilSecond(absl::FromUnixMicros(time), zone);
  const absl::CivilDay day(second);
  return {day, (second - absl::CivilSecond(day)) * kSecond + (time - FloorDivide(time, kSecond) * kSecond)};
}

int64_t FromLocal(absl::CivilDay day, int64_t microsecond_of_day, const absl::TimeZone& zone) {
  const absl::CivilSecond second = absl::CivilSecond(day) + microsecond_of_day / kSecond;
  return absl::ToUnixSeconds(absl::FromCivil(second, zone)) * kSecond + microsecond_of_day % kSecond;
}

int DaysOfMonth(absl::CivilDay day) {
  return static_cast<int>(absl::CivilDay(absl::CivilMonth(day) + 1) - absl::CivilDay(absl::CivilMonth(day)));
}
bool IsMonthEnd(absl::CivilDay day) { return day.day() == DaysOfMonth(day); }

// Counts business days since a Monday; nothing for a weekend.
std::optional<int64_t> BusinessDays(absl::CivilDay day) {
  const int64_t days = day - kAMonday, week = FloorDivide(days, 7), weekday = days - 7 * week;
  if (weekday >= kBusinessDaysOfWeek) return std::nullopt;
  return week * kBusinessDaysOfWeek + weekday;
}

// Counts the units from one local day to another; nothing if the second is not on the grid of the first.
std::optional<int64_t> UnitsBetween(Unit unit, absl::CivilDay from, absl::CivilDay to) {
  if (unit == Unit::kDay) return to - from;
  if (unit == Unit::kBusinessDay) {
    const auto a = BusinessDays(from), b = BusinessDays(to);
    if (!a.has_value() || !b.has_value()) return std::nullopt;
    return *b - *a;
  }
  const bool ends = IsMonthEnd(from) && IsMonthEnd(to);
  const bool fits = unit == Unit::kMonthEnd ? ends : to.day() == std::min(from.day(), DaysOfMonth(to));
  if (!fits) return std::nullopt;
  return absl::CivilMonth(to) - absl::CivilMonth(from);
}

// Returns the most frequent key of those that occur most, the least one of equals; 0: there is none.
int64_t MostFrequent(const std::map<int64_t, size_t>& counts) {
  int64_t most = 0;
  size_t times = 0;
  for (const auto& [key, count] : counts) {
    if (count > times) {
      most = key;
      times = count;
    }
  }
  return most;
}

// Returns the step of a unit that all rows fit; unknown if one does not.
CalendarStep FitUnit(Unit unit, absl::Span<const std::vector<int64_t>> series, const absl::TimeZone& zone) {
  std::map<int64_t, size_t> counts;
  for (const std::vector<int64_t>& times : series) {
    for (size_t i = 1; i < times.size(); ++i) {
      // From the first row on, so that the 31st of January is followed by the 28th of February and the 31st of March.
      const auto before = StepsBetween({unit, 1}, zone, times[0], times[i - 1]);
      const auto now = StepsBetween({unit, 1}, zone, times[0], times[i]);
      if (!before.has_value() || !now.has_value() || *now <= *before) return {};
      ++counts[*now - *before];
    }
  }
  return {unit, MostFrequent(counts)};
}

// Business days are told from days with gaps by having no weekend in a time that has some.
bool LooksLikeBusinessDays(absl::Span<const std::vector<int64_t>> series, const std::map<int64_t, size_t>& distances) {
  if (MostFrequent(distances) != kDay) return false;
  return std::any_of(series.begin(), series.end(),
                     [](const auto& times) { return times.size() > 1 && times.back() - times.front() >= 14 * kDay; });
}

}  // namespace

double CalendarStep::seconds() const {
  constexpr double kDaysOfMonth = 30.436875;  // of the Gregorian calendar
  switch (unit) {
    case Unit::kUnknown:
      return 0;
    case Unit::kMicrosecond:
      return static_cast<double>(count) / kSecond;
    case Unit::kDay:
      return static_cast<double>(count) * 86400;
    case Unit::kBusinessDay:
      return static_cast<double>(count) * 86400 * 7 / kBusinessDaysOfWeek;
    case Unit::kMonth:
    case Unit::kMonthEnd:
      break;
  }
  return static_cast<double>(count) * 86400 * kDaysOfMonth;
}

std::string StepText(const CalendarStep& step) {
  for (const auto& [unit, name] : kNames) {
    if (unit == step.unit) return absl::StrCat(step.count, name);
  }
  if (!step.known()) return "";
  std::string text = absl::StrCat(step.count / kSecond);
  const int64_t rest = step.count % kSecond;
  if (rest != 0) {
    std::string digits = absl::StrCat(kSecond + rest).substr(1);
    while (digits.back() == '0') digits.pop_back();
    absl::StrAppend(&text, ".", digits);
  }
  return text + "s";
}

absl::StatusOr<CalendarStep> ParseStep(absl::string_view text) {
  int64_t count = 0;
  for (const auto& [unit, name] : kNames) {
    absl::string_view number = text;
    if (absl::ConsumeSuffix(&number, name) && absl::SimpleAtoi(number, &count) && count > 0)
      return CalendarStep{unit, count};
  }
  absl::string_view number = text;
  double seconds = 0;
  if (absl::ConsumeSuffix(&number, "s") && absl::SimpleAtod(number, &seconds) && seconds >= 1e-6 && seconds <= 1e10) {
    return CalendarStep{Unit::kMicrosecond, std::llround(seconds * kSecond)};
  }
  return absl::InvalidArgumentError(
      absl::StrCat("a step is written as '3600s', '1 day', '1 business day', '1 month' or '1 month end', not '",
                   text.substr(0, 40), "'"));
}

std::optional<int64_t> StepsBetween(const CalendarStep& step, const absl::TimeZone& zone, int64_t origin,
                                    int64_t time) {
  std::optional<int64_t> units = time - origin;
  if (step.unit != Unit::kMicrosecond) {
    const Local from = ToLocal(origin, zone), to = ToLocal(time, zone);
    if (from.microsecond_of_day != to.microsecond_of_day) return std::nullopt;
    units = UnitsBetween(step.unit, from.day, to.day);
  }
  if (!units.has_value() || *units % step.count != 0) return std::nullopt;
  return *units / step.count;
}

int64_t AddSteps(const CalendarStep& step, const absl::TimeZone& zone, int64_t origin, int64_t steps) {
  const int64_t units = step.count * steps;
  if (step.unit == Unit::kMicrosecond) return origin + units;
  const Local from = ToLocal(origin, zone);
  absl::CivilDay day = from.day;
  if (step.unit == Unit::kDay) {
    day += units;
  } else if (step.unit == Unit::kBusinessDay) {
    while (!BusinessDays(day).has_value()) --day;
    const int64_t business_days = *BusinessDays(day) + units, week = FloorDivide(business_days, kBusinessDaysOfWeek);
    day = kAMonday + 7 * week + (business_days - kBusinessDaysOfWeek * week);
  } else {
    const absl::CivilDay first(absl::CivilMonth(from.day) + units);
    const int length = DaysOfMonth(first);
    day = first + (step.unit == Unit::kMonthEnd ? length : std::min(from.day.day(), length)) - 1;
  }
  return FromLocal(day, from.microsecond_of_day, zone);
}

CalendarStep FindStep(absl::Span<const std::vector<int64_t>> series, const absl::TimeZone& zone) {
  std::map<int64_t, size_t> distances;
  for (const std::vector<int64_t>& times : series) {
    for (size_t i = 1; i < times.size(); ++i) ++distances[times[i] - times[i - 1]];
  }
  if (distances.empty()) return {};
  const CalendarStep uniform = {Unit::kMicrosecond, MostFrequent(distances)};
  if (distances.size() == 1) return uniform;
  if (distances.begin()->first >= 28 * kDay) {
    for (const Unit unit : {Unit::kMonthEnd, Unit::kMonth}) {
      if (const CalendarStep step = FitUnit(unit, series, zone); step.known()) return step;
    }
  }
  if (LooksLikeBusinessDays(series, distances)) {
    if (const CalendarStep step = FitUnit(Unit::kBusinessDay, series, zone); step.known()) return step;
  }
  if (zone != absl::UTCTimeZone() && distances.begin()->first >= 23 * 3600 * kSecond) {
    if (const CalendarStep step = FitUnit(Unit::kDay, series, zone); step.known()) return step;
  }
  return uniform;
}

}  // namespace rondo
