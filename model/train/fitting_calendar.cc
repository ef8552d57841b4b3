#include "model/train/fitting_calendar.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "model/feature_encoder.h"
#include "model/train/moments.h"

namespace rondo::train {
namespace {

constexpr double kSecondsPerDay = 86400, kDaysPerYear = 365;

// Tells whether the change from one row to the next depends on the weekday, by more than chance (an F test at 0.1%).
bool WeekdayMatters(const Dataset& dataset, size_t column) {
  constexpr double kCritical = 22.5;  // of chi squared with 6 degrees of freedom
  Moments all, of_weekday[7];
  for (const Segment& part : dataset.segments(Dataset::kTraining)) {
    const std::vector<int64_t>& times = dataset.set().series[part.series].times;
    for (int64_t t = part.begin; t + 1 < part.end; ++t) {
      const double change = dataset.value(part.series, t + 1, column) - dataset.value(part.series, t, column);
      all.Add(change);
      of_weekday[static_cast<int>(7 * CalendarFraction(Calendar::kWeekday, UnixSeconds(times[t])))].Add(change);
    }
  }
  double within = 0, between = 0;
  for (const Moments& day : of_weekday) {
    within += day.count() * day.std() * day.std();
    between += day.count() * (day.mean() - all.mean()) * (day.mean() - all.mean());
  }
  return between * std::max(all.count() - 7, 0.0) > kCritical * within;
}

}  // namespace

std::vector<Calendar> FittingCalendar(const Dataset& dataset, absl::Span<const std::string> targets) {
  const double seconds = dataset.set().format.step.seconds();
  if (seconds <= 0 || seconds > 100 * kSecondsPerDay) return {};
  // What is seen of less than two of its periods is told apart from a trend by nothing.
  double longest = 0;
  for (const Segment& part : dataset.segments(Dataset::kTrainingAndValidation)) {
    longest = std::max(longest, static_cast<double>(part.end) * seconds);
  }
  const auto seen_twice = [longest](double days) { return longest >= 2 * days * kSecondsPerDay; };
  std::vector<Calendar> calendar;
  if (seconds < kSecondsPerDay) {
    if (seen_twice(1)) calendar.push_back(Calendar::kHour);
    if (seen_twice(7)) calendar.push_back(Calendar::kWeekday);
    if (seen_twice(kDaysPerYear)) calendar.push_back(Calendar::kDayOfYear);
    return calendar;
  }
  const bool daily = seconds < 2 * kSecondsPerDay;
  const bool weekday =
      daily && std::any_of(targets.begin(), targets.end(), [&dataset](const std::string& target) {
        const std::vector<std::string>& columns = dataset.set().columns;
        return WeekdayMatters(dataset, std::find(columns.begin(), columns.end(), target) - columns.begin());
      });
  if (weekday && seen_twice(7)) calendar.push_back(Calendar::kWeekday);
  if (seen_twice(kDaysPerYear)) calendar.push_back(Calendar::kDayOfYear);
  return calendar;
}

}  // namespace rondo::train
