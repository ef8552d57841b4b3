#include "model/train/csv_table.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/csv_reader.h"
#include "base/invalid.h"
#include "base/missing_column.h"
#include "base/table_format.h"
#include "base/text_decoder.h"

namespace rondo::train {
namespace {

absl::Status CheckHeader(const CsvTable& table) {
  std::set<absl::string_view> names;
  for (const std::string& name : table.header) {
    if (!IsUtf8(name)) return absl::InvalidArgumentError("row 1 is not UTF-8 text; save the file as UTF-8");
    if (!names.insert(name).second) {
      return Invalid("the header has the column '", name, "' twice");
    }
  }
  return absl::OkStatus();
}

// Leaves out the columns that have no name.
void DropUnnamed(CsvTable* table) {
  for (size_t i = table->header.size(); i-- > 0;) {
    if (!table->header[i].empty()) continue;
    table->header.erase(table->header.begin() + i);
    table->columns.erase(table->columns.begin() + i);
    table->notes.push_back(absl::StrCat("column ", i + 1, " has no name, and is left out"));
  }
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
      return Invalid("row ", RowNumber(table->rows()), " has ", row->size(), " fields; the header has ",
                     table->header.size(), DelimiterAdvice(table->header));
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
      absl::StrCat("the file has no column '", name, "'", InsteadOfColumn(name, header), DelimiterAdvice(header)));
}

absl::StatusOr<CsvTable> ParseCsv(absl::string_view text, char delimiter) {
  constexpr size_t kPieceBytes = size_t{1} << 16;  // bounds the rows that are in the reader and not yet in the table
  CsvReader reader(delimiter);
  CsvTable table;
  absl::Status parsed;
  for (bool finished = false; parsed.ok() && !finished;) {
    finished = text.empty();
    parsed = finished ? reader.Finish() : reader.Feed(text.substr(0, kPieceBytes));
    text.remove_prefix(std::min(kPieceBytes, text.size()));
    if (absl::Status taken = TakeRows(&reader, &table); !taken.ok()) return taken;
  }
  if (absl::IsUnimplemented(parsed)) return Invalid("the file ", parsed.message());
  if (!parsed.ok()) {
    return Invalid("row ", reader.complete_rows() + 1, " is not CSV: it ", parsed.message(),
                   "; quote with \" and double it inside");
  }
  if (table.header.empty()) return absl::InvalidArgumentError("the file is empty; a header row is wanted");
  DropUnnamed(&table);
  if (absl::Status status = CheckHeader(table); !status.ok()) return status;
  return table;
}

}  // namespace rondo::train
