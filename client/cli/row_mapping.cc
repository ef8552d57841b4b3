#include "client/cli/row_mapping.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/missing_column.h"
#include "client/cli/model_table.h"

namespace rondo {
namespace {

constexpr absl::string_view kTimeNames[] = {"time", "date", "timestamp"};

// Returns the place of a column, or nothing if there is none. INVALID_ARGUMENT: there are two.
absl::StatusOr<std::optional<size_t>> FindColumn(const std::vector<std::string>& header, absl::string_view name) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) return std::optional<size_t>();
  if (std::find(found + 1, header.end(), name) != header.end()) {
    return absl::InvalidArgumentError(absl::StrCat("column '", name, "' is there twice"));
  }
  return std::optional<size_t>(found - header.begin());
}

// Says what the table has instead of a column. How its fields are apart is the model's to say, not an option's.
std::string Instead(absl::string_view name, const std::vector<std::string>& header) {
  return absl::StrCat(InsteadOfColumn(name, header),
                      DelimiterAdvice(header).empty() ? "" : "; the model reads tables with another delimiter");
}

absl::Status MissingColumn(absl::string_view name, const std::vector<std::string>& header) {
  return absl::InvalidArgumentError(absl::StrCat("the table has no column '", name, "'", Instead(name, header)));
}

absl::StatusOr<size_t> RequireColumn(const std::vector<std::string>& header, absl::string_view name) {
  const absl::StatusOr<std::optional<size_t>> found = FindColumn(header, name);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return MissingColumn(name, header);
  return **found;
}

// Quotes a cell for a message. Cells come from anywhere, so a long one is cut.
std::string CellText(absl::string_view cell) {
  return cell.size() <= 40 ? absl::StrCat("'", cell, "'") : absl::StrCat("'", cell.substr(0, 40), "...'");
}

// What is added to an output's name for each of its numbers.
std::vector<std::string> Suffixes(const ModelDescription& model) {
  if (model.head == "gaussian") return {"", "_std"};
  if (model.head != "quantile") return {""};
  std::vector<std::string> suffixes;
  for (const double quantile : model.quantiles) suffixes.push_back(absl::StrCat("_q", quantile));
  return suffixes;
}

}  // namespace

absl::StatusOr<RowMapping> RowMapping::Create(const ModelDescription& model, const std::vector<std::string>& header,
                                              const Options& options) {
  RowMapping mapping;
  mapping.header_ = header;
  mapping.tokens_ = model.tokens;
  mapping.odd_step_ = options.odd_step;
  absl::StatusOr<TableFormat> table = TableOf(model);
  if (!table.ok()) return table.status();
  mapping.table_ = *std::move(table);
  mapping.reading_ = *ReadingOf(mapping.table_);
  absl::Status status = mapping.FindTimeColumn(model, options);
  if (status.ok()) {
    status = model.tokens > 0 ? mapping.FindToken() : mapping.FindInputs(model, options.optional_inputs);
  }
  if (status.ok()) status = mapping.FindSeries(model, options);
  if (!status.ok()) return status;
  // A model that was trained with times can tell those of its forecasts.
  mapping.sends_times_ = mapping.time_column_.has_value() && (model.needs_times || !mapping.table_.time_column.empty());
  return mapping;
}

absl::Status RowMapping::FindTimeColumn(const ModelDescription& model, const Options& options) {
  if (!options.time_column.empty()) {
    const absl::StatusOr<size_t> found = RequireColumn(header_, options.time_column);
    if (found.ok()) time_column_ = *found;
    return found.status();
  }
  if (const auto found = std::find(header_.begin(), header_.end(), table_.time_column); found != header_.end()) {
    time_column_ = found - header_.begin();
    return absl::OkStatus();
  }
  for (const absl::string_view name : kTimeNames) {
    for (size_t column = 0; column < header_.size() && !time_column_.has_value(); ++column) {
      if (absl::EqualsIgnoreCase(header_[column], name)) time_column_ = column;
    }
  }
  if (time_column_.has_value() || !model.needs_times || options.time_is_optional) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("model '", model.name, "' needs the time of each row, and no column is named ",
                   absl::StrJoin(kTimeNames, ", "), "; name it with --time=COLUMN", Instead("", header_)));
}

absl::Status RowMapping::FindInputs(const ModelDescription& model, const std::vector<std::string>& optional_inputs) {
  places_.resize(model.inputs.size());
  for (size_t input = 0; input < model.inputs.size(); ++input) {
    const auto optional = std::find(optional_inputs.begin(), optional_inputs.end(), model.inputs[input]);
    if (optional != optional_inputs.end()) continue;
    if (absl::Status status = FindInput(model, input); !status.ok()) return status;
    ahead_ = std::max(ahead_, places_[input].ahead);
  }
  return absl::OkStatus();
}

// A column PROMO+1 has the PROMO of the timestep after the row's; without it, the column PROMO of the next row has it.
absl::Status RowMapping::FindInput(const ModelDescription& model, size_t input) {
  InputSourceDescription source{model.inputs[input], "", 0};
  if (model.input_sources.size() == model.inputs.size()) source = model.input_sources[input];
  Place& place = places_[input];
  place.category = source.category;
  absl::StatusOr<std::optional<size_t>> found = std::optional<size_t>();
  if (source.ahead > 0) found = FindColumn(header_, absl::StrCat(source.column, "+", source.ahead));
  if (found.ok() && !found->has_value()) {
    place.ahead = static_cast<size_t>(std::max(source.ahead, 0));
    found = FindColumn(header_, source.column);
  }
  if (!found.ok()) return found.status();
  place.of_series = !place.category.empty() && source.column == table_.series_column;
  if (!found->has_value() && !place.of_series) return MissingColumn(source.column, header_);
  place.column = *found;
  return absl::OkStatus();
}

std::vector<std::string> RowMapping::ColumnsKnownBefore() const {
  std::vector<std::string> names;
  for (const Place& place : places_) {
    if (place.ahead == 0) continue;
    const std::string& name = header_[*place.column];
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

bool RowMapping::HasOnlyWhatIsKnownBefore(const CsvRow& row) const {
  if (ahead_ == 0 || row.cells.size() != header_.size()) return false;
  bool any = false;
  for (const Place& place : places_) {
    if (place.ahead > 0 || !place.column.has_value() || place.of_series) continue;
    const absl::StatusOr<std::optional<double>> value = ParseCell(row.cells[*place.column], table_);
    if (!value.ok() || value->has_value()) return false;
    any = true;
  }
  return any;
}

absl::Status RowMapping::FindToken() {
  const absl::StatusOr<size_t> found = header_.size() == 1 ? 0 : RequireColumn(header_, "token");
  if (found.ok()) places_.push_back({*found, 0, ""});
  return found.status();
}

std::vector<std::string> RowMapping::LeadingCells(const CsvRow& row) const {
  if (!time_column_.has_value()) return {};
  return {*time_column_ < row.cells.size() ? row.cells[*time_column_] : ""};
}

absl::Status RowMapping::FindSeries(const ModelDescription& model, const Options& options) {
  series_ = options.series;
  const bool has_own_units = std::any_of(table_.units.begin(), table_.units.end(), [this](const ColumnUnit& unit) {
    return series_.empty() ? !unit.series.empty() : unit.series == series_;
  });
  if (has_own_units && series_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("model '", model.name, "' was trained on series that each have a ",
                                                   "unit of their own; say whose rows these are with --series=NAME"));
  }
  const bool any_own =
      std::any_of(table_.units.begin(), table_.units.end(), [](const auto& unit) { return !unit.series.empty(); });
  if (any_own && !has_own_units) {
    return absl::InvalidArgumentError(absl::StrCat("model '", model.name, "' was not trained on a series '", series_,
                                                   "', and does not know its unit"));
  }
  if (!series_.empty() && !table_.series_column.empty()) {
    absl::StatusOr<std::optional<size_t>> found = FindColumn(header_, table_.series_column);
    if (!found.ok()) return found.status();
    series_column_ = *found;
  }
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    const bool has_source = model.input_sources.size() == model.inputs.size();
    units_.push_back(table_.UnitOf(has_source ? model.input_sources[i].column : model.inputs[i], series_));
  }
  return absl::OkStatus();
}

bool RowMapping::IsOfSeries(const CsvRow& row) const {
  return !series_column_.has_value() || *series_column_ >= row.cells.size() || row.cells[*series_column_] == series_;
}

absl::StatusOr<float> RowMapping::ReadCell(const CsvRow& row, size_t input) const {
  const Place& place = places_[input];
  const size_t column = *place.column;
  const std::string where =
      absl::StrCat("row ", row.number + static_cast<int64_t>(place.ahead), ", column '", header_[column], "': ");
  if (place.ahead > row.later.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, "there is no such row, and the model wants what is known of it"));
  }
  const std::string& cell = place.ahead == 0 ? row.cells[column] : row.later[place.ahead - 1][column];
  if (tokens_ > 0) return ReadToken(row, column);
  if (!place.category.empty()) return ReadCategory(row, input, cell);
  const absl::StatusOr<std::optional<double>> read = ParseCell(cell, table_);
  if (!read.ok()) return absl::InvalidArgumentError(absl::StrCat(where, read.status().message()));
  if (read->has_value()) {
    const auto value = static_cast<float>((**read - units_[input].offset) / units_[input].scale);
    if (std::isfinite(value)) return value;
    return absl::InvalidArgumentError(absl::StrCat(where, CellText(cell), " is not a finite number of 32 bits"));
  }
  if (table_.missing != Missing::kError && !last_values_.empty()) return last_values_[input];
  return absl::InvalidArgumentError(absl::StrCat(
      where, CellText(cell), " is not a finite number",
      table_.missing == Missing::kError
          ? ""
          : ", and no row before it has one to take its place; begin the table at the first row that has one"));
}

// The rows are of the series that was named, else of the one that they name, else of one that is not known.
float RowMapping::ReadSeries(const CsvRow& row, size_t input) const {
  const Place& place = places_[input];
  const std::string unknown;
  const std::string& name = !series_.empty() ? series_ : place.column.has_value() ? row.cells[*place.column] : unknown;
  return name == place.category ? 1 : 0;
}

absl::StatusOr<float> RowMapping::ReadCategory(const CsvRow& row, size_t input, const std::string& cell) const {
  const Place& place = places_[input];
  if (cell == place.category) return 1;
  std::vector<std::string> known;
  for (const Place& other : places_) {
    if (other.category.empty() || other.column != place.column || other.ahead != place.ahead) continue;
    if (other.category == cell) return 0;
    known.push_back(other.category);
  }
  const absl::StatusOr<std::optional<double>> read = ParseCell(cell, table_);
  const bool is_missing = read.ok() && !read->has_value();
  if (is_missing && table_.missing != Missing::kError && !last_values_.empty()) return last_values_[input];
  return absl::InvalidArgumentError(absl::StrCat("row ", row.number + static_cast<int64_t>(place.ahead), ", column '",
                                                 header_[*place.column], "': ", CellText(cell), " is none of ",
                                                 absl::StrJoin(known, ", "), ", which the model knows"));
}

absl::StatusOr<float> RowMapping::ReadToken(const CsvRow& row, size_t column) const {
  const absl::StatusOr<std::optional<double>> read = ParseCell(row.cells[column], table_);
  const double id = read.ok() ? read->value_or(-1) : -1;
  if (id >= 0 && id < static_cast<double>(tokens_) && id == std::floor(id)) return static_cast<float>(id);
  return absl::InvalidArgumentError(absl::StrCat("row ", row.number, ", column '", header_[column],
                                                 "': ", CellText(row.cells[column]),
                                                 " is not a token id, a whole number in 0..", tokens_ - 1));
}

absl::StatusOr<int64_t> RowMapping::ReadRowTime(const CsvRow& row) {
  const absl::StatusOr<TextTime> read = ReadTime(row.cells[*time_column_], reading_, last_time_.value_or(INT64_MIN));
  if (!read.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("row ", row.number, ", column '", header_[*time_column_], "': ", read.status().message()));
  }
  const int64_t time = read->unix_microseconds();
  if (absl::Status status = CheckStep(row, time); !status.ok()) return status;
  if (!first_time_.has_value()) first_time_ = time;
  last_time_ = time;
  return read->unix_seconds;
}

absl::Status RowMapping::CheckStep(const CsvRow& row, int64_t time) {
  if (!last_time_.has_value() || !table_.step.known()) return absl::OkStatus();
  const auto before = StepsBetween(table_.step, reading_.zone, *first_time_, *last_time_);
  const auto now = StepsBetween(table_.step, reading_.zone, *first_time_, time);
  if (before.has_value() && now.has_value() && *now == *before + 1) return absl::OkStatus();
  last_odd_step_ = absl::StrCat("row ", row.number, " has the time ", FormatMicroseconds(time, reading_.zone),
                                " after ", FormatMicroseconds(*last_time_, reading_.zone), ", not one step (",
                                StepText(table_.step), ") later");
  if (odd_step_ == OddStep::kRefuse) return absl::InvalidArgumentError(last_odd_step_);
  ++odd_steps_;
  return absl::OkStatus();
}

absl::Status RowMapping::Append(const CsvRow& row, Timesteps* timesteps) {
  if (row.cells.size() != header_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("row ", row.number, " has ", row.cells.size(), " cells; the header has ", header_.size()));
  }
  for (const std::vector<std::string>& cells : row.later) {
    if (cells.size() == header_.size()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("a row after row ", row.number, " has ", cells.size(), " cells; the header has ", header_.size()));
  }
  std::vector<float> values;
  for (size_t input = 0; input < places_.size(); ++input) {
    const Place& place = places_[input];
    const absl::StatusOr<float> value = place.of_series            ? ReadSeries(row, input)
                                        : place.column.has_value() ? ReadCell(row, input)
                                                                   : 0.0f;
    if (!value.ok()) return value.status();
    values.push_back(*value);
  }
  if (sends_times_) {
    const absl::StatusOr<int64_t> time = ReadRowTime(row);
    if (!time.ok()) return time.status();
    timesteps->times.push_back(*time);
  }
  timesteps->values.insert(timesteps->values.end(), values.begin(), values.end());
  last_values_ = std::move(values);
  return absl::OkStatus();
}

std::vector<std::string> OutputColumns(const ModelDescription& model) {
  const int horizon = std::max(model.horizon, 1);
  std::vector<std::string> names;
  for (const std::string& output : model.outputs) {
    for (const std::string& suffix : Suffixes(model)) names.push_back(output + suffix);
  }
  if (names.size() * static_cast<size_t>(horizon) != static_cast<size_t>(model.output_size)) {
    names.clear();
    const char* letter = model.head == "softmax" ? "p" : "y";
    for (int i = 0; i < model.output_size / horizon; ++i) names.push_back(absl::StrCat(letter, i));
  }
  if (horizon == 1) return names;
  std::vector<std::string> columns;
  for (int step = 1; step <= horizon; ++step) {
    for (const std::string& name : names) columns.push_back(absl::StrCat(name, "+", step));
  }
  return columns;
}

}  // namespace rondo
