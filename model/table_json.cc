#include "model/table_json.h"

#include <cmath>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "model/json/json_text.h"

namespace rondo {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;
using Need = ObjectReader::Need;

constexpr size_t kMaxUnits = 100'000, kMaxMissingValues = 100, kMaxTextBytes = 1024;
constexpr int64_t kMaxSeason = 1'000'000'000;

const ObjectReader::Choices<Missing>& MissingChoices() {
  static const auto& choices = *[] {
    auto* all = new ObjectReader::Choices<Missing>;
    for (const Missing missing : kMissings) all->emplace_back(MissingName(missing), missing);
    return all;
  }();
  return choices;
}

void ReadCharacter(ObjectReader& reader, absl::string_view key, char* character) {
  std::string text;
  if (*character != '\0') text = *character;
  reader.Read(key, Need::kOptional, &text);
  if (text.size() > 1)
    return reader.Refuse(absl::StrCat(reader.Where(key), " is ", Quoted(text), "; it must be one character"));
  *character = text.empty() ? '\0' : text[0];
}

void ReadMissingValues(ObjectReader& reader, std::vector<std::string>* values) {
  const Json* texts = reader.FindArray("missing_values", Need::kOptional);
  if (texts == nullptr) return;
  for (const Json& text : *texts) {
    if (!text.is_string())
      return reader.Refuse(absl::StrCat("table.missing_values has ", JsonKind(text), "; wanted strings"));
    values->push_back(text.get<std::string>());
  }
}

void ReadUnits(ObjectReader& reader, std::vector<ColumnUnit>* units, absl::Status* status) {
  const Json* array = reader.FindArray("units", Need::kOptional);
  if (array == nullptr) return;
  for (size_t i = 0; i < array->size() && status->ok(); ++i) {
    ColumnUnit& unit = units->emplace_back();
    ObjectReader one((*array)[i], absl::StrCat("table.units[", i, "]"), status);
    one.Read("column", Need::kRequired, &unit.column);
    one.Read("series", Need::kOptional, &unit.series);
    one.Read("offset", Need::kOptional, &unit.offset);
    one.Read("scale", Need::kOptional, &unit.scale);
    one.RefuseOthers();
  }
}

bool IsMark(char c) { return c == '\t' || (absl::ascii_isprint(c) && !absl::ascii_isalnum(c) && c != '"'); }

}  // namespace

void ReadTable(ObjectReader& root, TableFormat* table, absl::Status* status) {
  const Json* json = root.Find("table", Need::kOptional);
  if (json == nullptr) return;
  ObjectReader reader(*json, "table", status);
  ReadCharacter(reader, "delimiter", &table->delimiter);
  ReadCharacter(reader, "decimal", &table->decimal);
  ReadCharacter(reader, "thousands", &table->thousands);
  ReadMissingValues(reader, &table->missing_values);
  reader.Read("time", Need::kOptional, &table->time_column);
  reader.Read("time_format", Need::kOptional, &table->time_format);
  reader.Read("time_zone", Need::kOptional, &table->time_zone);
  reader.Read("series", Need::kOptional, &table->series_column);
  reader.Read("missing", Need::kOptional, MissingChoices(), &table->missing);
  reader.Read("season", Need::kOptional, &table->season);
  std::string step;
  reader.Read("step", Need::kOptional, &step);
  if (!step.empty()) {
    const absl::StatusOr<CalendarStep> parsed = ParseStep(step);
    if (!parsed.ok()) return reader.Refuse(absl::StrCat("table.step: ", parsed.status().message()));
    table->step = *parsed;
  }
  ReadUnits(reader, &table->units, status);
  reader.RefuseOthers();
}

OrderedJson TableJson(const TableFormat& table) {
  const TableFormat usual;
  OrderedJson json;
  const auto add = [&json](const char* key, const std::string& text, const std::string& usual_text) {
    if (text != usual_text) json[key] = text;
  };
  add("delimiter", {table.delimiter}, {usual.delimiter});
  add("decimal", {table.decimal}, {usual.decimal});
  if (table.thousands != '\0') json["thousands"] = std::string(1, table.thousands);
  if (!table.missing_values.empty()) json["missing_values"] = table.missing_values;
  add("time", table.time_column, "");
  add("time_format", table.time_format, "");
  add("time_zone", table.time_zone, "");
  add("step", StepText(table.step), "");
  add("series", table.series_column, "");
  add("missing", std::string(MissingName(table.missing)), std::string(MissingName(usual.missing)));
  if (table.season > 0) json["season"] = table.season;
  for (const ColumnUnit& unit : table.units) {
    json["units"].push_back({{"column", unit.column}, {"offset", unit.offset}, {"scale", unit.scale}});
    if (!unit.series.empty()) json["units"].back()["series"] = unit.series;
  }
  return json;
}

absl::Status CheckTable(const TableFormat& table) {
  const auto refuse = [](absl::string_view key, absl::string_view wanted) {
    return Invalid("table.", key, " must be ", wanted);
  };
  if (!IsMark(table.delimiter)) return refuse("delimiter", "a mark such as ; or a tab");
  if (table.decimal != '.' && table.decimal != ',') return refuse("decimal", "'.' or ','");
  if (table.thousands != '\0' && (!IsMark(table.thousands) || table.thousands == table.decimal)) {
    return refuse("thousands", "a mark that is not the decimal one");
  }
  if (table.missing_values.size() > kMaxMissingValues) return refuse("missing_values", "at most 100 texts");
  for (const std::string* text : {&table.time_column, &table.time_format, &table.time_zone, &table.series_column}) {
    if (text->size() > kMaxTextBytes) return refuse("time, time_format, time_zone, series", "at most 1024 bytes long");
  }
  if (table.season < 0 || table.season > kMaxSeason) return refuse("season", "0 to 1000000000");
  if (table.units.size() > kMaxUnits) return refuse("units", "at most 100000");
  for (const ColumnUnit& unit : table.units) {
    if (!std::isfinite(unit.offset) || !std::isfinite(unit.scale) || !(unit.scale > 0)) {
      return refuse("units", "finite numbers, and the scale greater than 0");
    }
  }
  return ReadingOf(table).status();
}

}  // namespace rondo
