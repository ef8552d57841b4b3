#include "model/train/csv_table.h"

#include <csv.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace rondo::train {
namespace {

// What libcsv's callbacks fill. The first broken rule stops the filling.
struct Parse {
  CsvTable table;
  std::vector<std::string> row;
  size_t rows_seen = 0;
  absl::Status status;
};

void EndField(void* field, size_t size, void* context) {
  auto& parse = *static_cast<Parse*>(context);
  parse.row.emplace_back(static_cast<const char*>(field), size);
}

void EndRow(int, void* context) {
  auto& parse = *static_cast<Parse*>(context);
  std::vector<std::string> row = std::move(parse.row);
  parse.row.clear();
  if (!parse.status.ok()) return;
  if (parse.rows_seen++ == 0) {
    parse.table.columns.resize(row.size());
    parse.table.header = std::move(row);
    return;
  }
  if (row.size() != parse.table.header.size()) {
    parse.status = absl::InvalidArgumentError(absl::StrCat("row ", parse.rows_seen, " has ", row.size(),
                                                           " fields; the header has ", parse.table.header.size()));
    return;
  }
  for (size_t i = 0; i < row.size(); ++i) parse.table.columns[i].push_back(std::move(row[i]));
}

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

}  // namespace

absl::StatusOr<size_t> CsvTable::Find(absl::string_view name) const {
  for (size_t i = 0; i < header.size(); ++i) {
    if (header[i] == name) return i;
  }
  return absl::NotFoundError(
      absl::StrCat("the file has no column '", name, "'; its columns are ", absl::StrJoin(header, ", ")));
}

absl::StatusOr<CsvTable> ParseCsv(absl::string_view text) {
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  csv_parser parser;
  if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) return absl::InternalError("libcsv did not start");
  Parse parse;
  const size_t parsed = csv_parse(&parser, text.data(), text.size(), EndField, EndRow, &parse);
  const bool complete = parsed == text.size() && csv_fini(&parser, EndField, EndRow, &parse) == 0;
  const std::string problem = complete ? "" : csv_strerror(csv_error(&parser));
  csv_free(&parser);
  if (!parse.status.ok()) return parse.status;
  if (!complete) {
    return absl::InvalidArgumentError(
        absl::StrCat("row ", parse.rows_seen + 1, " is not CSV (", problem, "); quote with \" and double it inside"));
  }
  if (parse.rows_seen == 0) return absl::InvalidArgumentError("the file is empty; a header row is wanted");
  if (absl::Status status = CheckHeader(parse.table); !status.ok()) return status;
  return std::move(parse.table);
}

}  // namespace rondo::train
