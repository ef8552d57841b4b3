#include "model/train/column_units.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/train/moments.h"

namespace rondo::train {
namespace {

// Past this a float keeps less than four digits of what varies.
constexpr double kLargestLevel = 1000;
// Standard deviations outside of this are too near to the bounds of a float.
constexpr double kLeastSpread = 1e-15, kLargestSpread = 1e15;
// Series that differ by more than this are sent in units of their own.
constexpr double kSpreadsThatDiffer = 3, kLevelsThatDiffer = 10;

Moments MomentsOf(const RawSeries& series, size_t column, size_t columns, double part) {
  Moments moments;
  const int64_t end = std::max<int64_t>(1, std::llround(part * static_cast<double>(series.timesteps)));
  for (int64_t t = 0; t < std::min(end, series.timesteps); ++t) {
    const double value = series.values[t * columns + column];
    if (!std::isnan(value)) moments.Add(value);
  }
  return moments;
}

// A spread that is only rounding error of the level counts as none.
double SpreadOf(const Moments& moments) { return moments.std() > 1e-12 * std::abs(moments.mean()) ? moments.std() : 0; }

// Returns the unit that floats need; offset 0 and scale 1 if they need none. The middle half of the values decides, so
// that a wild one is not taken for their scale.
ColumnUnit NeededUnit(const std::string& column, std::vector<double> values) {
  ColumnUnit unit{column, "", 0, 1};
  if (values.empty()) return unit;
  const auto quartile = [&values](size_t i) {
    const auto place = values.begin() + static_cast<int64_t>(values.size() * i / 4);
    std::nth_element(values.begin(), place, values.end());
    return *place;
  };
  const double median = quartile(2), range = quartile(3) - quartile(1);
  const double spread = range > 1e-12 * std::abs(median) ? range : 0;
  if (spread == 0) return unit;
  if (std::abs(median) > kLargestLevel * spread) unit.offset = median;
  if (spread < kLeastSpread || spread > kLargestSpread) unit.scale = std::pow(10, std::round(std::log10(spread)));
  return unit;
}

bool Differ(const std::vector<Moments>& each) {
  double least_spread = HUGE_VAL, largest_spread = 0, least_level = HUGE_VAL, largest_level = -HUGE_VAL;
  for (const Moments& moments : each) {
    const double spread = SpreadOf(moments);
    if (spread == 0) continue;
    least_spread = std::min(least_spread, spread);
    largest_spread = std::max(largest_spread, spread);
    least_level = std::min(least_level, moments.mean());
    largest_level = std::max(largest_level, moments.mean());
  }
  return largest_spread > kSpreadsThatDiffer * least_spread ||
         largest_level - least_level > kLevelsThatDiffer * largest_spread;
}

}  // namespace

std::vector<ColumnUnit> FindUnits(const std::vector<RawSeries>& all, const std::vector<std::string>& columns,
                                  SeriesScale scale, double statistics_part) {
  std::vector<ColumnUnit> units;
  for (size_t column = 0; column < columns.size(); ++column) {
    std::vector<Moments> each;
    std::vector<double> together;
    for (const RawSeries& series : all) {
      each.push_back(MomentsOf(series, column, columns.size(), statistics_part));
      for (int64_t t = 0; t < series.timesteps; ++t) {
        const double value = series.values[t * columns.size() + column];
        if (!std::isnan(value)) together.push_back(value);
      }
    }
    // A yes or no has no unit.
    if (std::all_of(together.begin(), together.end(), [](double value) { return value == 0 || value == 1; })) continue;
    const bool own = all.size() > 1 && (scale == SeriesScale::kOwn || (scale == SeriesScale::kAuto && Differ(each)));
    for (size_t i = 0; i < all.size() && own; ++i) {
      const double spread = SpreadOf(each[i]);
      units.push_back({columns[column], all[i].name, each[i].mean(), spread > 0 ? spread : 1});
    }
    const ColumnUnit needed = NeededUnit(columns[column], std::move(together));
    if (!own && (needed.offset != 0 || needed.scale != 1)) units.push_back(needed);
  }
  return units;
}

}  // namespace rondo::train
