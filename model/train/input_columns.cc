#include "model/train/input_columns.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"

namespace rondo::train {
namespace {

constexpr size_t kMostCategories = 256;
constexpr size_t kMostCategoryBytes = 64;  // its input's name has the column's too

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Returns the texts of a column in order; a cell without a value is none of them.
absl::StatusOr<std::set<std::string>> CategoriesOf(const CsvTable& table, const std::string& name) {
  const absl::StatusOr<size_t> column = table.Find(name);
  if (!column.ok()) return column.status();
  std::set<std::string> texts;
  for (const std::string& text : table.columns[*column]) {
    if (const auto value = ParseCell(text, TableFormat()); value.ok() && !value->has_value()) continue;
    texts.insert(text);
    if (text.size() > kMostCategoryBytes) {
      return Invalid("column '", name, "' has a text of ", text.size(), " bytes; --categories takes at most ",
                     kMostCategoryBytes);
    }
    if (texts.size() > kMostCategories) {
      return Invalid("column '", name, "' has more than ", kMostCategories,
                     " different texts; --categories takes at most so many");
    }
  }
  return texts;
}

// Adds inputs to *dataset, each with its source.
class Lister {
 public:
  explicit Lister(DatasetOptions* dataset) : dataset_(*dataset) {}

  void Add(const std::string& column, const std::string& category, int64_t ahead) {
    std::string name = column;
    if (!category.empty()) absl::StrAppend(&name, "=", category);
    if (ahead > 0) absl::StrAppend(&name, "+", ahead);
    dataset_.inputs.push_back(std::move(name));
    dataset_.sources.push_back({column, category, ahead});
  }

 private:
  DatasetOptions& dataset_;
};

}  // namespace

absl::Status ListInputs(const CsvTable& table, const InputColumns& columns, DatasetOptions* dataset) {
  if (columns.known.empty() && columns.categories.empty()) return absl::OkStatus();
  std::vector<std::string> given = std::move(dataset->inputs);
  dataset->inputs.clear();
  for (const std::vector<std::string>* more : {&columns.known, &columns.categories}) {
    for (const std::string& name : *more) {
      if (!Has(given, name)) given.push_back(name);
      if (!Has(dataset->targets, name)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("the target '", name, "' is among --known_inputs or --categories: wanted other columns there"));
    }
  }
  Lister lister(dataset);
  const auto is_number = [&](const std::string& name) { return !Has(columns.categories, name); };
  const auto is_known = [&](const std::string& name) { return Has(columns.known, name); };
  for (const std::string& name : given) {
    if (is_number(name) && !is_known(name)) lister.Add(name, "", 0);
  }
  for (const std::string& name : given) {
    if (is_number(name) && is_known(name)) lister.Add(name, "", 1);
  }
  for (const std::string& name : given) {
    if (is_number(name)) continue;
    const auto texts = CategoriesOf(table, name);
    if (!texts.ok()) return texts.status();
    for (int64_t ahead = is_known(name) ? 1 : 0; ahead <= (is_known(name) ? dataset->horizon : 0); ++ahead) {
      for (const std::string& text : *texts) lister.Add(name, text, ahead);
    }
  }
  for (const std::string& name : given) {
    for (int64_t ahead = 2; is_number(name) && is_known(name) && ahead <= dataset->horizon; ++ahead) {
      lister.Add(name, "", ahead);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<SeriesSet> ReadInputs(const CsvTable& table, SeriesOptions options, const DatasetOptions& dataset) {
  std::vector<std::string> names = dataset.inputs;
  std::vector<InputSource> sources = dataset.sources;
  for (size_t i = sources.size(); i < names.size(); ++i) sources.push_back({names[i], "", 0});
  for (const std::string& target : dataset.targets) {
    if (Has(dataset.inputs, target)) continue;
    names.push_back(target);
    sources.push_back({target, "", 0});
  }
  // Each column is read once, whatever timesteps ahead of it are wanted.
  std::map<std::pair<std::string, std::string>, size_t> read;
  std::vector<size_t> places;
  options.columns.clear();
  options.sources.clear();
  for (size_t i = 0; i < names.size(); ++i) {
    InputSource& source = sources[i];
    if (source.column.empty()) source.column = names[i];
    const auto [found, added] = read.emplace(std::make_pair(source.column, source.category), read.size());
    places.push_back(found->second);
    if (!added) continue;
    options.columns.push_back(source.category.empty() ? source.column : names[i]);
    options.sources.push_back(source);
  }
  absl::StatusOr<SeriesSet> set = MakeSeries(table, options);
  if (!set.ok() || options.columns == names) return set;
  const size_t width = options.columns.size();
  for (Series& series : set->series) {
    const std::vector<float> values = std::move(series.values);
    const std::vector<uint8_t> present = std::move(series.present);
    series.values.clear();
    series.present.clear();
    for (int64_t t = 0; t < series.timesteps; ++t) {
      for (size_t i = 0; i < names.size(); ++i) {
        const size_t from = std::min(t + sources[i].ahead, series.timesteps - 1) * width + places[i];
        series.values.push_back(values[from]);
        if (!present.empty()) series.present.push_back(present[from]);
      }
    }
  }
  set->columns = std::move(names);
  return set;
}

}  // namespace rondo::train
