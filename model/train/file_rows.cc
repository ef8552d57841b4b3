#include "model/train/file_rows.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "model/train/moments.h"
#include "model/train/time_column.h"

namespace rondo::train {
namespace {

// Reads a cell of a column: its number, or whether it has the source's text. NaN: the cell has no value.
absl::StatusOr<double> ReadCell(const std::string& text, const InputSource& source, const TableFormat& format) {
  const absl::StatusOr<std::optional<double>> value = ParseCell(text, format);
  if (source.category.empty()) {
    if (!value.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(value.status().message(), "; --categories takes a column of texts"));
    }
    return value->value_or(std::nan(""));
  }
  if (source.column == format.series_column) return text == source.category ? 1 : 0;  // a name is never missing
  if (value.ok() && !value->has_value() && text != source.category) return std::nan("");
  return text == source.category ? 1 : 0;
}

absl::Status ReadTimes(const CsvTable& table, const SeriesOptions& options, FileRows* rows) {
  if (options.format.time_column.empty()) return absl::OkStatus();
  const auto column = table.Find(options.format.time_column);
  if (!column.ok()) return column.status();
  const absl::StatusOr<TimeReading> reading = ReadingOf(options.format);
  if (!reading.ok()) return reading.status();
  rows->zone = reading->zone;
  auto times = ParseTimes(table.columns[*column], options.format, rows->series_names);
  if (!times.ok()) return times.status();
  rows->times = *std::move(times);
  return absl::OkStatus();
}

// A far value that comes again and again, as -9999, is likely to stand for no value.
void RemarkRepeatedOutlier(const FileRows& rows, size_t column, const std::string& name,
                           std::vector<std::string>* notes) {
  constexpr int kRepeated = 3;
  constexpr double kFar = 10;  // standard deviations of the others
  double least = HUGE_VAL, most = -HUGE_VAL;
  for (size_t i = column; i < rows.values.size(); i += rows.width) {
    if (std::isnan(rows.values[i])) continue;
    least = std::min(least, rows.values[i]);
    most = std::max(most, rows.values[i]);
  }
  for (const double suspect : {least, most}) {
    Moments others;
    int times = 0;
    for (size_t i = column; i < rows.values.size(); i += rows.width) {
      if (rows.values[i] == suspect) {
        ++times;
      } else if (!std::isnan(rows.values[i])) {
        others.Add(rows.values[i]);
      }
    }
    if (times < kRepeated || others.count() < 10 * times || !(others.std() > 0)) continue;
    if (std::abs(suspect - others.mean()) < kFar * others.std()) continue;
    notes->push_back(absl::StrCat("column '", name, "' has ", suspect, " ", times,
                                  " times, far from its other values; if that stands for no value, say "
                                  "--missing_values=",
                                  suspect));
  }
}

// Takes a row into the mean of an earlier one; `counts` is of the values that each mean has so far.
void AddToMean(size_t row, size_t mean_row, FileRows* rows, std::vector<double>* counts) {
  for (size_t i = 0; i < rows->width; ++i) {
    const double value = rows->values[row * rows->width + i];
    double& mean = rows->values[mean_row * rows->width + i];
    if (std::isnan(value)) continue;
    mean = (*counts)[i] == 0 ? value : mean + (value - mean) / ((*counts)[i] + 1);
    ++(*counts)[i];
  }
}

}  // namespace

absl::StatusOr<FileRows> ReadRows(const CsvTable& table, const SeriesOptions& options,
                                  std::vector<std::string>* notes) {
  FileRows rows;
  rows.width = options.columns.size();
  if (!options.format.series_column.empty()) {
    const auto column = table.Find(options.format.series_column);
    if (!column.ok()) return column.status();
    rows.series_names = &table.columns[*column];
  }
  for (const InputSource& source : options.sources) {
    if (const auto column = table.Find(source.column); !column.ok()) return column.status();
  }
  if (table.rows() == 0) return absl::InvalidArgumentError("the file has a header and no rows");
  if (absl::Status status = ReadTimes(table, options, &rows); !status.ok()) return status;
  rows.values.resize(table.rows() * rows.width);
  for (size_t i = 0; i < rows.width; ++i) {
    const InputSource& source = options.sources[i];
    const std::vector<std::string>& texts = table.columns[*table.Find(source.column)];
    for (size_t row = 0; row < table.rows(); ++row) {
      const auto value = ReadCell(texts[row], source, options.format);
      if (!value.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("row ", RowNumber(row), ", column '", source.column, "': ", value.status().message()));
      }
      rows.values[row * rows.width + i] = *value;
    }
    RemarkRepeatedOutlier(rows, i, options.columns[i], notes);
  }
  return rows;
}

std::vector<SeriesRows> SplitBySeries(const CsvTable& table, const FileRows& rows) {
  std::vector<SeriesRows> all;
  std::map<std::string, size_t> places;
  for (size_t row = 0; row < table.rows(); ++row) {
    const std::string name = rows.series_names == nullptr ? "" : (*rows.series_names)[row];
    const auto [found, added] = places.emplace(name, all.size());
    if (added) all.push_back({name, {}});
    all[found->second].rows.push_back(row);
  }
  return all;
}

void DropPromises(const SeriesOptions& options, const FileRows& rows, SeriesRows* series) {
  const auto is_known_ahead = [](const InputSource& source) { return source.ahead > 0; };
  if (std::none_of(options.sources.begin(), options.sources.end(), is_known_ahead)) return;
  const auto has_measured = [&](size_t row) {
    for (size_t i = 0; i < rows.width; ++i) {
      const InputSource& source = options.sources[i];
      if (source.ahead == 0 && !source.remembered && !std::isnan(rows.values[row * rows.width + i])) return true;
    }
    return false;
  };
  while (!series->rows.empty() && !has_measured(series->rows.back())) series->rows.pop_back();
}

absl::StatusOr<int64_t> OrderRows(const SeriesOptions& options, FileRows* rows, SeriesRows* series) {
  const std::vector<int64_t>& times = rows->times;
  if (times.empty()) return 0;
  const auto is_earlier = [&times](size_t a, size_t b) { return times[a] < times[b]; };
  if (options.sort) std::stable_sort(series->rows.begin(), series->rows.end(), is_earlier);
  std::vector<size_t> kept;
  std::vector<double> counts(rows->width);
  for (const size_t row : series->rows) {
    if (kept.empty() || times[row] > times[kept.back()]) {
      kept.push_back(row);
      for (size_t i = 0; i < rows->width; ++i) counts[i] = std::isnan(rows->values[row * rows->width + i]) ? 0 : 1;
      continue;
    }
    const bool is_equal = times[row] == times[kept.back()];
    if (!is_equal || options.duplicates == Duplicates::kError) {
      return Invalid(
          OfSeries(series->name), "row ", RowNumber(row), " has the time ", rows->TimeText(times[row]), " after ",
          rows->TimeText(times[kept.back()]), "; times must grow within a series; ",
          is_equal ? "--duplicates=first, last or mean says what equal ones become" : "--sort sorts the rows");
    }
    if (options.duplicates == Duplicates::kLast) kept.back() = row;
    if (options.duplicates == Duplicates::kMean) AddToMean(row, kept.back(), rows, &counts);
  }
  const auto left_out = static_cast<int64_t>(series->rows.size() - kept.size());
  series->rows = std::move(kept);
  return left_out;
}

std::string OfSeries(const std::string& name) { return name.empty() ? "" : absl::StrCat("series '", name, "': "); }

}  // namespace rondo::train
