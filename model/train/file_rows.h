#ifndef RONDO_MODEL_TRAIN_FILE_ROWS_H_
#define RONDO_MODEL_TRAIN_FILE_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "model/train/csv_table.h"
#include "model/train/series.h"

namespace rondo::train {

// Holds the rows of a table as numbers, in the file's order.
struct FileRows {
  size_t width = 0;            // columns
  std::vector<int64_t> times;  // unix microseconds; empty: the file has none
  absl::TimeZone zone = absl::UTCTimeZone();
  std::vector<double> values;                              // [rows][width], NaN: the file has none
  const std::vector<std::string>* series_names = nullptr;  // of each row, of the table; null: there is one series

  std::string TimeText(int64_t time) const { return FormatMicroseconds(time, zone); }
};

// Lists the rows of the file that belong to one series.
struct SeriesRows {
  std::string name;
  std::vector<size_t> rows;
};

// Reads the columns of `options`. Values that may stand for no value are told in `notes`. Errors as MakeSeries.
absl::StatusOr<FileRows> ReadRows(const CsvTable& table, const SeriesOptions& options, std::vector<std::string>* notes);

// Returns the series of a table, in order of first appearance.
std::vector<SeriesRows> SplitBySeries(const CsvTable& table, const FileRows& rows);

// Sorts the rows of a series by time if that is asked for, and leaves one for each time; a mean changes its values.
// Returns how many rows were left out. INVALID_ARGUMENT: times do not grow, and what helps.
absl::StatusOr<int64_t> OrderRows(const SeriesOptions& options, FileRows* rows, SeriesRows* series);

// Leaves out the rows at the end of a series that only say what is known ahead.
void DropPromises(const SeriesOptions& options, const FileRows& rows, SeriesRows* series);

// "series 'x': ", or nothing for a series without a name.
std::string OfSeries(const std::string& name);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_FILE_ROWS_H_
