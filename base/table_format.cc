#include "base/table_format.h"

#include <algorithm>
#include <cmath>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/invalid.h"

namespace rondo {
namespace {

constexpr absl::string_view kNoValue[] = {"",     "na",      "n/a", "#n/a", "nan", "none",
                                          "null", "missing", "?",   ".",    "-",   "\\n"};
constexpr size_t kMaxShownBytes = 40;

bool IsMissing(absl::string_view text, const TableFormat& format) {
  return absl::c_linear_search(kNoValue, absl::string_view(absl::AsciiStrToLower(text))) ||
         absl::c_linear_search(format.missing_values, text);
}

// Takes out the marks between groups of three digits. Nothing: one stands elsewhere.
std::optional<std::string> WithoutThousands(absl::string_view text, const TableFormat& format) {
  const size_t end = std::min(text.find(format.decimal), text.size());
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    if (format.thousands == '\0' || text[i] != format.thousands) {
      digits += text[i];
    } else if (i == 0 || i >= end || (end - i) % 4 != 0 || !absl::ascii_isdigit(text[i - 1])) {
      return std::nullopt;
    }
  }
  return digits;
}

// Hexadecimal numbers, "inf" and words are no numbers here, whatever the C library says.
bool ParseNumber(absl::string_view text, const TableFormat& format, double* value) {
  std::optional<std::string> digits = WithoutThousands(text, format);
  if (!digits.has_value() || (format.decimal != '.' && absl::StrContains(*digits, '.'))) return false;
  absl::c_replace(*digits, format.decimal, '.');
  return digits->find_first_not_of("0123456789+-.eE") == std::string::npos && absl::SimpleAtod(*digits, value) &&
         std::isfinite(*value);
}

// Says which option would read a text that is no number.
std::string Advice(absl::string_view text, const TableFormat& format) {
  double value = 0;
  TableFormat other = format;
  if (format.decimal == '.' && absl::c_count(text, ',') == 1) {
    other.decimal = ',';
    if (ParseNumber(text, other, &value)) {
      other = format;
      other.thousands = ',';
      return ParseNumber(text, other, &value) ? "; --decimal=, or --thousands=, says how to read it"
                                              : "; --decimal=, reads it";
    }
  }
  other = format;
  other.thousands = format.decimal == ',' ? '.' : ',';
  if (ParseNumber(text, other, &value))
    return absl::StrCat("; --thousands=", std::string(1, other.thousands), " reads it");
  if (absl::EndsWith(text, "%")) return "; take the percent signs out";
  return "; leave the column out, or name what stands for no value with --missing_values=LIST";
}

}  // namespace

absl::string_view MissingName(Missing missing) {
  constexpr absl::string_view kNames[] = {"error", "forward_fill", "mask"};
  return kNames[static_cast<int>(missing)];
}

ColumnUnit TableFormat::UnitOf(absl::string_view column, absl::string_view series) const {
  ColumnUnit found;
  for (const ColumnUnit& unit : units) {
    if (unit.column == column && (unit.series == series || unit.series.empty())) found = unit;
    if (unit.column == column && unit.series == series) break;
  }
  return found;
}

absl::StatusOr<TimeReading> ReadingOf(const TableFormat& format) {
  TimeReading reading;
  reading.format = format.time_format;
  if (format.time_zone.empty() || absl::LoadTimeZone(format.time_zone, &reading.zone)) return reading;
  return Invalid("there is no time zone '", format.time_zone, "' here; wanted a name as Europe/Berlin, of the tzdata");
}

absl::StatusOr<std::optional<double>> ParseCell(absl::string_view text, const TableFormat& format) {
  text = absl::StripAsciiWhitespace(text);
  double value = 0;
  if (IsMissing(text, format)) return std::optional<double>();
  if (ParseNumber(text, format, &value)) return std::optional<double>(value);
  if (absl::EqualsIgnoreCase(text, "true")) return std::optional<double>(1);
  if (absl::EqualsIgnoreCase(text, "false")) return std::optional<double>(0);
  return Invalid("'", text.substr(0, kMaxShownBytes), text.size() > kMaxShownBytes ? "...'" : "'",
                 " is not a finite number", Advice(text, format));
}

std::string DelimiterAdvice(const std::vector<std::string>& header) {
  if (header.size() != 1) return "";
  for (const auto& [delimiter, name] : {std::pair{';', ";"}, std::pair{'\t', "tab"}, std::pair{'|', "|"}}) {
    if (absl::StrContains(header[0], delimiter)) return absl::StrCat("; --delimiter=", name, " may read it");
  }
  return "";
}

}  // namespace rondo
