#include "client/cli/model_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace rondo {
namespace {

char MarkOf(const std::string& text) { return text.empty() ? '\0' : text[0]; }

}  // namespace

absl::StatusOr<TableFormat> TableOf(const ModelDescription& model) {
  const TableDescription& given = model.table;
  TableFormat table;
  table.delimiter = MarkOf(given.delimiter);
  table.decimal = MarkOf(given.decimal);
  table.thousands = MarkOf(given.thousands);
  table.missing_values = given.missing_values;
  table.time_column = given.time;
  table.time_format = given.time_format;
  table.time_zone = given.time_zone;
  table.series_column = given.series;
  for (const Missing missing : kMissings) {
    if (MissingName(missing) == given.missing) table.missing = missing;
  }
  table.season = given.season;
  for (const ColumnUnitDescription& unit : given.units) {
    table.units.push_back({unit.column, unit.series, unit.offset, unit.scale});
  }
  if (!given.step.empty()) {
    const absl::StatusOr<CalendarStep> step = ParseStep(given.step);
    if (!step.ok()) return step.status();
    table.step = *step;
  }
  if (absl::Status status = ReadingOf(table).status(); !status.ok()) return status;
  return table;
}

std::vector<AnswerUnit> AnswerUnits(const ModelDescription& model, const TableFormat& table,
                                    const std::string& series) {
  const auto output_size = static_cast<size_t>(std::max(model.output_size, 0));
  if (table.units.empty() || model.outputs.empty() || output_size == 0) return {};
  const size_t values = output_size / (static_cast<size_t>(std::max(model.horizon, 1)) * model.outputs.size());
  std::vector<AnswerUnit> units;
  for (size_t i = 0; i < output_size && values > 0; ++i) {
    const ColumnUnit unit = table.UnitOf(model.outputs[i / values % model.outputs.size()], series);
    const bool is_deviation = model.head == "gaussian" && i % values == 1;
    units.push_back({is_deviation ? 0 : unit.offset, unit.scale});
  }
  return units;
}

}  // namespace rondo
