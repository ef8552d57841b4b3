#include "model/train/csv_table.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/csv_reader.h"

namespace rondo::train {
namespace {

absl::Status CheckHeader(const CsvTable& table) {
  std::set<absl::string_view> names;
  for (const std::string& name : table.header) {
    if (name.empty()) return absl::InvalidArgumentError("the header has an empty column name");
    if (!names.insert(name).second) {
      return absl::InvalidArgumentError(absl::StrCat("the header has the column '", name, "' twice"));
    }
  }
  return absl::OkStatus();
}

// Moves the rows that the reader has into the table; the first one is the header.
absl::Status TakeRows(CsvReader* reader, CsvTable* table) {
  while (std::optional<std::vector<std::string>> row = reader->TakeRow()) {
    if (table->header.empty()) {
      table->columns.resize(row->size());
      table->header = *std::move(row);
      continue;
    }
    if (row->size() != table->header.size()) {
      return absl::InvalidArgumentError(absl::StrCat("row ", RowNumber(table->rows()), " has ", row->size(),
                                                     " fields; the header has ", table->header.size()));
    }
    for (size_t i = 0; i < row->size(); ++i) table->columns[i].push_back(std::move((*row)[i]));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<size_t> CsvTable::Find(absl::string_view name) const {
  for (size_t i = 0; i < header.size(); ++i) {
    if (header[i] == name) return i;
  }
  return absl::NotFoundError(
      absl::StrCat("the file has no column '", name, "'; its columns are ", absl::StrJoin(header, ", ")));
}

absl::StatusOr<CsvTable> ParseCsv(absl::string_view text) {
  constexpr size_t kPieceBytes = size_t{1} << 16;  // bounds the rows that are in the reader and not yet in the table
  CsvReader reader;
  CsvTable table;
  absl::Status parsed;
  for (bool finished = false; parsed.ok() && !finished;) {
    finished = text.empty();
    parsed = finished ? reader.Finish() : reader.Feed(text.substr(0, kPieceBytes));
    text.remove_prefix(std::min(kPieceBytes, text.size()));
    if (absl::Status taken = TakeRows(&reader, &table); !taken.ok()) return taken;
  }
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("row ", reader.complete_rows() + 1, " is not CSV: it ",
                                                   parsed.message(), "; quote with \" and double it inside"));
  }
  if (table.header.empty()) return absl::InvalidArgumentError("the file is empty; a header row is wanted");
  if (absl::Status status = CheckHeader(table); !status.ok()) return status;
  return table;
}

}  // namespace rondo::train
