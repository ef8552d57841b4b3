#include "model/train/source.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "model/checksum.h"
#include "model/train/annotate.h"
#include "model/train/csv_table.h"

namespace rondo::train {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 33;

// Puts names with commas together again: a list was cut at its commas, and "y, with comma" may be one column.
void JoinNames(const CsvTable& table, std::vector<std::string>* names) {
  std::vector<std::string> joined;
  for (size_t i = 0; i < names->size(); ++i) {
    std::string name = (*names)[i];
    size_t last = i;
    for (size_t more = i + 1; more < names->size() && !table.Find(name).ok(); ++more) {
      absl::StrAppend(&name, ",", (*names)[more]);
      last = more;
    }
    const bool found = table.Find(name).ok();
    joined.push_back(found ? name : (*names)[i]);
    if (found) i = last;
  }
  *names = std::move(joined);
}

absl::StatusOr<SeriesSet> ReadSeries(const std::string& text, const SeriesOptions& given, DatasetOptions* dataset) {
  const auto table = ParseCsv(text, given.format.delimiter);
  if (!table.ok()) return table.status();
  SeriesOptions options = given;
  if (options.columns == std::vector<std::string>{"all"} && !table->Find("all").ok()) {
    options.columns.clear();
    for (const std::string& name : table->header) {
      if (name != given.format.time_column && name != given.format.series_column) options.columns.push_back(name);
    }
    dataset->inputs = dataset->targets = options.columns;
  }
  for (std::vector<std::string>* names : {&options.columns, &dataset->inputs, &dataset->targets})
    JoinNames(*table, names);
  return MakeSeries(*table, options);
}

}  // namespace

absl::StatusOr<Source> ReadSource(const TrainOptions& options) {
  const bool tokens = options.csv_path.empty();
  const std::string& path = tokens ? options.tokens_path : options.csv_path;
  const absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxBytes);
  if (!text.ok()) return Annotate(text.status(), path);
  SeriesSet set;
  DatasetOptions dataset_options = options.dataset;
  if (tokens) {
    auto read = ReadTokens(*text, options.token_unit);
    if (!read.ok()) return Annotate(read.status(), path);
    set = std::move(read->set);
    dataset_options.token_names = std::move(read->names);
  } else {
    auto made = ReadSeries(*text, options.series, &dataset_options);
    if (!made.ok()) return Annotate(made.status(), path);
    set = *std::move(made);
  }
  auto dataset = Dataset::Create(std::move(set), dataset_options);
  if (!dataset.ok()) return Annotate(dataset.status(), path);
  return Source{*std::move(dataset), std::filesystem::path(path).filename().string(), Checksum(*text)};
}

}  // namespace rondo::train
