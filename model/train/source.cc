#include "model/train/source.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/annotate.h"
#include "base/files.h"
#include "base/invalid.h"
#include "model/checksum.h"
#include "model/train/csv_table.h"
#include "model/train/training_kernel.h"

namespace rondo::train {
namespace {

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

// The columns of a file that are not its time or series, "all" of them.
void TakeAllColumns(const CsvTable& table, const TableFormat& format, const InputColumns& more,
                    DatasetOptions* dataset) {
  const auto is_more = [&](const std::string& name) {
    return std::count(more.known.begin(), more.known.end(), name) +
               std::count(more.categories.begin(), more.categories.end(), name) >
           0;
  };
  dataset->targets.clear();
  for (const std::string& name : table.header) {
    if (name != format.time_column && name != format.series_column && !is_more(name)) dataset->targets.push_back(name);
  }
  dataset->inputs = dataset->targets;
}

// Gives a table without the column of the series one that names none: its rows are of one series that is not known.
absl::Status AddSeriesColumn(const TableFormat& format, CsvTable* table) {
  const std::string& name = format.series_column;
  if (name.empty() || table->Find(name).ok()) return absl::OkStatus();
  const bool own_units =
      std::any_of(format.units.begin(), format.units.end(), [](const auto& unit) { return !unit.series.empty(); });
  if (own_units) {
    return Invalid("there is no column '", name,
                   "' that says of which series a row is, and each series of the model has a unit of its own; "
                   "--series=COLUMN says which column that is");
  }
  table->notes.push_back(absl::StrCat("there is no column '", name,
                                      "': the rows count as one series, which the model does not know; --series=COLUMN "
                                      "says which column tells series apart"));
  table->columns.emplace_back(table->rows());
  table->header.push_back(name);
  return absl::OkStatus();
}

absl::StatusOr<SeriesSet> ReadSeries(const std::string& text, const TrainOptions& options, DatasetOptions* dataset) {
  auto table = ParseCsv(text, options.series.format.delimiter);
  if (!table.ok()) return table.status();
  if (options.series.may_lack_series) {
    if (absl::Status status = AddSeriesColumn(options.series.format, &*table); !status.ok()) return status;
  }
  InputColumns more = options.input_columns;
  for (std::vector<std::string>* names : {&dataset->inputs, &dataset->targets, &more.known, &more.categories}) {
    JoinNames(*table, names);
  }
  if (dataset->targets == std::vector<std::string>{"all"} && !table->Find("all").ok()) {
    TakeAllColumns(*table, options.series.format, more, dataset);
  }
  if (!dataset->known.has_value()) {
    if (absl::Status status = ListInputs(*table, more, dataset); !status.ok()) return status;
  }
  return ReadInputs(*table, options.series, *dataset);
}

// Returns the texts of the tokens, some of them as --token_texts says; null if the tokens have none.
absl::StatusOr<std::shared_ptr<const Vocabulary>> VocabularyOf(const std::vector<std::string>& changes,
                                                               const std::vector<std::string>& names,
                                                               std::vector<std::string> texts) {
  for (const std::string& change : changes) {
    const size_t mark = change.find('=', 1);  // the token itself may be one
    const auto name = std::find(names.begin(), names.end(), change.substr(0, mark));
    std::string text;
    if (texts.empty() || mark == std::string::npos || name == names.end() ||
        !absl::CUnescape(change.substr(mark + 1), &text)) {
      return Invalid("--token_texts: '", change,
                     "': wanted TOKEN=TEXT of a character of the text, with \\n for a new line");
    }
    texts[name - names.begin()] = std::move(text);
  }
  if (texts.empty()) return nullptr;
  return Vocabulary::Create(std::move(texts));
}

}  // namespace

nlohmann::ordered_json ProvenanceOf(const TrainOptions& options, absl::string_view file_name, uint64_t checksum) {
  nlohmann::ordered_json json = {{"program", "rondo-train"}, {"version", RONDO_VERSION}, {"onednn", OneDnnVersion()}};
  json["data"] = {{"file", std::string(file_name)}, {"fnv1a64", absl::StrFormat("%016x", checksum)}};
  for (const auto& [name, value] : options.texts) json["options"][name] = value;
  return json;
}

absl::StatusOr<Source> ReadSource(const TrainOptions& options) {
  const bool tokens = options.csv_path.empty();
  const std::string& path = tokens ? options.tokens.path : options.csv_path;
  const absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxSourceBytes);
  if (!text.ok()) return Annotate(text.status(), path);
  SeriesSet set;
  DatasetOptions dataset_options = options.dataset;
  if (tokens) {
    auto read = ReadTokens(*text, options.tokens.unit);
    if (!read.ok()) return Annotate(read.status(), path);
    set = std::move(read->set);
    dataset_options.token_names = std::move(read->names);
    auto vocabulary = VocabularyOf(options.tokens.texts, dataset_options.token_names, std::move(read->texts));
    if (!vocabulary.ok()) return vocabulary.status();
    dataset_options.vocabulary = *std::move(vocabulary);
  } else {
    auto made = ReadSeries(*text, options, &dataset_options);
    if (!made.ok()) return Annotate(made.status(), path);
    set = *std::move(made);
  }
  auto dataset = Dataset::Create(std::move(set), dataset_options);
  if (!dataset.ok()) return Annotate(dataset.status(), path);
  return Source{*std::move(dataset), std::filesystem::path(path).filename().string(), Checksum(*text)};
}

}  // namespace rondo::train
