#ifndef RONDO_MODEL_TRAIN_SERIES_H_
#define RONDO_MODEL_TRAIN_SERIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/input_source.h"
#include "base/table_format.h"
#include "model/train/csv_table.h"

namespace rondo::train {

enum class Irregular { kError, kResample, kKeep };
enum class Duplicates { kError, kFirst, kLast, kMean };
// Says whether the values of each series are sent in a unit of their own. kAuto: if their spreads or levels differ.
enum class SeriesScale { kAuto, kOwn, kShared };

// Holds timesteps in order of time. A value that was missing has been filled, and `present` says so.
struct Series {
  std::string name;              // empty if the file has one series
  std::vector<int64_t> times;    // unix microseconds; empty if the file has no time column
  std::vector<float> values;     // [timesteps][columns], finite, in the units of SeriesSet::format
  std::vector<uint8_t> present;  // [timesteps][columns]: 0 where the file has no value; empty: all are there
  int64_t timesteps = 0;
};

// Returns the second that a time in microseconds lies in.
inline int64_t UnixSeconds(int64_t microseconds) {
  return microseconds / 1'000'000 - (microseconds % 1'000'000 < 0 ? 1 : 0);
}

struct SeriesSet {
  std::vector<std::string> columns;
  std::vector<Series> series;      // in order of first appearance
  TableFormat format;              // as it was given, with the step and the units that were found
  std::vector<std::string> notes;  // what was left out or put in, a sentence each, for the user
};

struct SeriesOptions {
  std::vector<std::string> columns;  // those to read; not empty
  // Where each of them is in the table: its number in the column of its name, or 1 where a column has a text. What is
  // `ahead` may be there for rows at the end that have nothing else. Empty: each is the number in the column of its
  // name.
  std::vector<InputSource> sources;
  TableFormat format;  // its step and units are found, not given
  Irregular irregular = Irregular::kError;
  Duplicates duplicates = Duplicates::kError;
  bool sort = false;
  double resample_seconds = 0;  // kResample: length of a step; 0: the most frequent step of the file
  SeriesScale series_scale = SeriesScale::kAuto;
  bool keep_units = false;       // take those of `format` instead of finding them
  bool may_lack_series = false;  // a file without format.series_column has one series, of a name that is not known
  double statistics_part = 1;    // the part of each series, its begin, that units are found from
};

// Takes the columns out of a table.
//
// Values are read by ParseCell and times by ReadTime. A missing value is an error, or the value of the row before is
// taken and marked as not present; a series then begins with the first row that has all values. Times must grow within
// a series (`sort` makes them; equal ones follow `duplicates`), and by one step throughout. If they do not, that is an
// error that names the row; or each step becomes the mean of the rows in it (and is missing if there is none); or the
// rows stay as they are and the step counts as unknown. Missing::kMask puts in the steps that are missing. Rows at the
// end of a series that have only what is known ahead are left out.
//
// NOT_FOUND: there is no such column. INVALID_ARGUMENT names the first row that breaks a rule, and what helps.
absl::StatusOr<SeriesSet> MakeSeries(const CsvTable& table, const SeriesOptions& options);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_SERIES_H_
