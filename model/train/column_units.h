#ifndef RONDO_MODEL_TRAIN_COLUMN_UNITS_H_
#define RONDO_MODEL_TRAIN_COLUMN_UNITS_H_

#include <string>
#include <vector>

#include "model/train/series.h"

namespace rondo::train {

// Holds the timesteps of a series as they stand in the file: in the file's numbers, NaN where it has none.
struct RawSeries {
  std::string name;
  std::vector<int64_t> times;  // unix microseconds; empty: the file has none
  std::vector<double> values;  // [timesteps][columns]
  int64_t timesteps = 0;
};

// Finds the units that values are sent in, from the first part of each series: the file's own, unless floats would lose
// digits or be out of range, or the series differ (SeriesScale).
std::vector<ColumnUnit> FindUnits(const std::vector<RawSeries>& all, const std::vector<std::string>& columns,
                                  SeriesScale scale, double statistics_part);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_COLUMN_UNITS_H_
