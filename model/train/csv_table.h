#ifndef RONDO_MODEL_TRAIN_CSV_TABLE_H_
#define RONDO_MODEL_TRAIN_CSV_TABLE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo::train {

// Holds a CSV file as text: a header, and rows of as many fields.
struct CsvTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> columns;  // [header.size()][rows]
  std::vector<std::string> notes;                 // what was left out, a sentence each

  size_t rows() const { return columns.empty() ? 0 : columns[0].size(); }
  // Returns a column's index. NOT_FOUND names the columns that there are.
  absl::StatusOr<size_t> Find(absl::string_view name) const;
};

// Returns a row's number as an editor shows it, where the header is 1. It is right as long as no field has a line
// break.
inline size_t RowNumber(size_t row) { return row + 2; }

// Parses a whole file as CsvReader does, and wants as many fields in every row as the header has, whose names are
// unique. Columns without a name, as pandas writes an index, are left out. INVALID_ARGUMENT names the rule and the row.
absl::StatusOr<CsvTable> ParseCsv(absl::string_view text, char delimiter = ',');

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_CSV_TABLE_H_
