#ifndef RONDO_MODEL_TRAIN_SERIES_H_
#define RONDO_MODEL_TRAIN_SERIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/train/csv_table.h"

namespace rondo::train {

enum class Missing { kError, kForwardFill };
enum class Irregular { kError, kResample, kKeep };

// Holds timesteps in order of time, in raw units; every value is finite.
struct Series {
  std::string name;            // empty if the file has one series
  std::vector<int64_t> times;  // unix seconds; empty if the file has no time column
  std::vector<float> values;   // [timesteps][columns]
  int64_t timesteps = 0;
};

struct SeriesSet {
  std::vector<std::string> columns;
  std::vector<Series> series;  // in order of first appearance
  double step_seconds = 0;     // 0: unknown or not regular
};

struct SeriesOptions {
  std::vector<std::string> columns;  // those to read; not empty
  std::string time;                  // its column; empty: rows are timesteps, times unknown
  std::string time_format;           // see ParseTimes
  std::string series;                // the column that names a row's series; empty: one series
  Missing missing = Missing::kError;
  Irregular irregular = Irregular::kError;
  double resample_seconds = 0;  // kResample: length of a step; 0: the most frequent step of the file
};

// Takes the columns out of a table.
//
// A value is missing if its field is empty, "NA", "NaN" or "null" in any case; that is an error, or the value of the
// row before is taken. Times must grow within a series, and by one step throughout. If they do not, that is an error
// that names the row, or each step becomes the mean of the rows in it (and is missing if there is none), or the rows
// stay as they are and the step counts as unknown.
//
// NOT_FOUND: there is no such column. INVALID_ARGUMENT names the first row that breaks a rule.
absl::StatusOr<SeriesSet> MakeSeries(const CsvTable& table, const SeriesOptions& options);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_SERIES_H_
