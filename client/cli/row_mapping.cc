#include "client/cli/row_mapping.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/time_text.h"

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

absl::Status MissingColumn(absl::string_view name, const std::vector<std::string>& header) {
  return absl::InvalidArgumentError(
      absl::StrCat("column '", name, "' is missing; the header has: ", absl::StrJoin(header, ", ")));
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
  absl::Status status = mapping.FindTimeColumn(model, options);
  if (status.ok()) {
    status = model.tokens > 0 ? mapping.FindToken() : mapping.FindInputs(model, options.optional_inputs);
  }
  if (!status.ok()) return status;
  mapping.sends_times_ = model.needs_times && mapping.time_column_.has_value();
  return mapping;
}

absl::Status RowMapping::FindTimeColumn(const ModelDescription& model, const Options& options) {
  if (!options.time_column.empty()) {
    const absl::StatusOr<size_t> found = RequireColumn(header_, options.time_column);
    if (found.ok()) time_column_ = *found;
    return found.status();
  }
  for (const absl::string_view name : kTimeNames) {
    for (size_t column = 0; column < header_.size() && !time_column_.has_value(); ++column) {
      if (absl::EqualsIgnoreCase(header_[column], name)) time_column_ = column;
    }
  }
  if (time_column_.has_value() || !model.needs_times || options.time_is_optional) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("model '", model.name,
                                                 "' needs the time of each row, and no column is named ",
                                                 absl::StrJoin(kTimeNames, ", "), "; name it with --time=COLUMN"));
}

absl::Status RowMapping::FindInputs(const ModelDescription& model, const std::vector<std::string>& optional_inputs) {
  for (const std::string& input : model.inputs) {
    absl::StatusOr<std::optional<size_t>> found = FindColumn(header_, input);
    if (!found.ok()) return found.status();
    const bool optional = std::find(optional_inputs.begin(), optional_inputs.end(), input) != optional_inputs.end();
    if (!found->has_value() && !optional) return MissingColumn(input, header_);
    columns_.push_back(*found);
  }
  return absl::OkStatus();
}

absl::Status RowMapping::FindToken() {
  const absl::StatusOr<size_t> found = header_.size() == 1 ? 0 : RequireColumn(header_, "token");
  if (found.ok()) columns_.push_back(*found);
  return found.status();
}

absl::StatusOr<float> RowMapping::ParseCell(const CsvRow& row, size_t column) const {
  const std::string& cell = row.cells[column];
  float value = 0;
  const bool number = absl::SimpleAtof(cell, &value) && std::isfinite(value);
  if (number && (tokens_ == 0 || (value >= 0 && value < static_cast<float>(tokens_) && value == std::floor(value)))) {
    return value;
  }
  const std::string wanted =
      tokens_ == 0 ? "is not a finite number" : absl::StrCat("is not a token id, a whole number in 0..", tokens_ - 1);
  return absl::InvalidArgumentError(
      absl::StrCat("row ", row.number, ", column '", header_[column], "': ", CellText(cell), " ", wanted));
}

absl::StatusOr<int64_t> RowMapping::ParseTime(const CsvRow& row) const {
  const absl::StatusOr<TextTime> parsed = ParseTimeText(row.cells[*time_column_]);
  if (parsed.ok()) return parsed->unix_seconds;
  return absl::InvalidArgumentError(
      absl::StrCat("row ", row.number, ", column '", header_[*time_column_], "': ", parsed.status().message()));
}

std::vector<std::string> RowMapping::LeadingCells(const CsvRow& row) const {
  if (!time_column_.has_value()) return {};
  return {row.cells[*time_column_]};
}

absl::Status RowMapping::Append(const CsvRow& row, Timesteps* timesteps) const {
  if (row.cells.size() != header_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("row ", row.number, " has ", row.cells.size(), " cells; the header has ", header_.size()));
  }
  absl::StatusOr<int64_t> time = sends_times_ ? ParseTime(row) : 0;
  if (!time.ok()) return time.status();
  const size_t size_before = timesteps->values.size();
  for (const std::optional<size_t>& column : columns_) {
    absl::StatusOr<float> value = column.has_value() ? ParseCell(row, *column) : 0.0f;
    if (!value.ok()) {
      timesteps->values.resize(size_before);
      return value.status();
    }
    timesteps->values.push_back(*value);
  }
  if (sends_times_) timesteps->times.push_back(*time);
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
