#include "model/train/season.h"

#include <cmath>
#include <vector>

namespace rondo::train {
namespace {

constexpr double kHour = 3600, kDay = 86400;

}  // namespace

std::vector<int64_t> SeasonsOf(const CalendarStep& step) {
  if (step.unit == CalendarStep::Unit::kMonth || step.unit == CalendarStep::Unit::kMonthEnd) {
    return step.count < 12 && 12 % step.count == 0 ? std::vector<int64_t>{12 / step.count} : std::vector<int64_t>{};
  }
  if (step.unit == CalendarStep::Unit::kBusinessDay)
    return step.count == 1 ? std::vector<int64_t>{5} : std::vector<int64_t>{};
  const double seconds = step.seconds();
  if (seconds <= 0) return {};
  std::vector<int64_t> seasons;
  // A season is a whole number of steps, or nearly: a year of days or weeks.
  for (const double period : {kHour, kDay, 7 * kDay, 365.25 * kDay}) {
    const double steps = period / seconds;
    const bool fits = period == 365.25 * kDay ? seconds >= kDay : std::abs(steps - std::round(steps)) < 1e-9;
    if (fits && steps >= 4 && steps <= 1e6) seasons.push_back(std::llround(std::floor(steps)));
  }
  return seasons;
}

int64_t FindSeason(const Dataset& dataset) {
  const int64_t horizon = dataset.spec().horizon;
  int64_t best = 0;
  double least = HUGE_VAL;
  for (const int64_t season : SeasonsOf(dataset.set().format.step)) {
    double sum = 0, count = 0;
    bool reaches_back = true;
    for (const Segment& part : dataset.segments(Dataset::kValidation)) {
      for (int64_t t = part.begin; t < part.end; ++t) {
        for (int64_t ahead = 1; ahead <= horizon; ++ahead) {
          const int64_t before = t + ahead - (ahead + season - 1) / season * season;
          if (before < 0) {
            reaches_back = false;
            continue;
          }
          const size_t column = dataset.target_column(0);
          sum += std::abs(dataset.value(part.series, before, column) - dataset.value(part.series, t + ahead, column));
          ++count;
        }
      }
    }
    if (!reaches_back || count == 0 || sum / count >= least) continue;
    least = sum / count;
    best = season;
  }
  return best;
}

}  // namespace rondo::train
