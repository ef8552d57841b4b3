#include "base/time_text.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/invalid.h"

namespace rondo {
namespace {

constexpr absl::string_view kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};

// [separator: '-', '/'][a date, with the time of day, with an offset as well]
constexpr absl::string_view kDateForms[2][3] = {{"YYYY-MM-DD", "YYYY-MM-DD HH:MM", "YYYY-MM-DD HH:MM+HH:MM"},
                                                {"YYYY/MM/DD", "YYYY/MM/DD HH:MM", "YYYY/MM/DD HH:MM+HH:MM"}};

struct UnitOfSeconds {
  size_t min_digits, max_digits;
  int64_t per_second;
  absl::string_view form;
};
constexpr UnitOfSeconds kUnits[] = {{9, 10, 1, "seconds since 1970"},
                                    {12, 13, 1'000, "milliseconds since 1970"},
                                    {15, 16, 1'000'000, "microseconds since 1970"},
                                    {18, 19, 1'000'000'000, "nanoseconds since 1970"}};

struct Fields {
  int year = 0, month = 1, day = 1;
  int hour = 0, minute = 0, second = 0;
  int64_t microsecond = 0;
  bool has_offset = false, has_time_of_day = false;
  int offset_minutes = 0;
};

// A place in a text. Each Take moves it on and returns true, or returns false.
class Cursor {
 public:
  explicit Cursor(absl::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool Take(absl::string_view literal) {
    if (!absl::StartsWithIgnoreCase(rest_, literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  bool TakeNumber(size_t min_digits, size_t max_digits, int* number) {
    size_t digits = 0;
    while (digits < std::min(max_digits, rest_.size()) && absl::ascii_isdigit(rest_[digits])) ++digits;
    if (digits < min_digits || !absl::SimpleAtoi(rest_.substr(0, digits), number)) return false;
    rest_.remove_prefix(digits);
    return true;
  }
  // Takes the digits of a fraction, at least one.
  bool TakeFraction(int64_t* microsecond) {
    const size_t before = rest_.size();
    for (int64_t unit = 100'000; !rest_.empty() && absl::ascii_isdigit(rest_[0]); unit /= 10) {
      *microsecond += unit * (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return rest_.size() < before;
  }
  bool TakeMonthName(int* month) {
    for (*month = 1; *month <= 12; ++*month) {
      const absl::string_view name = kMonths[*month - 1];
      if (Take(name) || Take(name.substr(0, 3))) return true;
    }
    return false;
  }

 private:
  absl::string_view rest_;
};

std::string QuotedStart(absl::string_view text) {
  constexpr size_t kMaxBytes = 40;
  return absl::StrCat("'", text.substr(0, kMaxBytes), text.size() > kMaxBytes ? "...'" : "'");
}

absl::Status NotATime(absl::string_view text, absl::string_view wanted) {
  return Invalid(QuotedStart(text), " is not a time; ", wanted);
}

// Finds the instant of a local time; see ParseTimeText for those that come twice or never.
bool FromLocal(const absl::CivilSecond& local, bool has_time_of_day, const absl::TimeZone& zone, int64_t microsecond,
               int64_t after, int64_t* seconds) {
  const absl::TimeZone::TimeInfo found = zone.At(local);
  absl::Time time = found.pre;
  if (found.kind == absl::TimeZone::TimeInfo::SKIPPED) {
    if (has_time_of_day) return false;
    time = found.trans;
  }
  const auto is_after = [&](absl::Time at) { return absl::ToUnixSeconds(at) * 1'000'000 + microsecond > after; };
  if (found.kind == absl::TimeZone::TimeInfo::REPEATED && !is_after(time)) time = found.post;
  *seconds = absl::ToUnixSeconds(time);
  return *seconds >= kMinTime && *seconds <= kMaxTime;
}

// Nothing is normalised: there is no 30th of February.
bool ToUnixSeconds(const Fields& at, const absl::TimeZone& zone, int64_t after, int64_t* seconds) {
  const absl::CivilDay day(at.year, at.month, at.day);
  if (day.year() != at.year || day.month() != at.month || day.day() != at.day) return false;
  if (at.hour > 23 || at.minute > 59 || at.second > 60) return false;  // a leap second is the next minute's first
  const absl::CivilSecond second(at.year, at.month, at.day, at.hour, at.minute, at.second);
  if (!at.has_offset) return FromLocal(second, at.has_time_of_day, zone, at.microsecond, after, seconds);
  *seconds = absl::ToUnixSeconds(absl::FromCivil(second, absl::UTCTimeZone())) - int64_t{at.offset_minutes} * 60;
  return *seconds >= kMinTime && *seconds <= kMaxTime;
}

bool TakeTimeOfDay(Cursor* cursor, Fields* fields) {
  fields->has_time_of_day = true;
  if (!cursor->TakeNumber(1, 2, &fields->hour) || !cursor->Take(":")) return false;
  if (!cursor->TakeNumber(2, 2, &fields->minute)) return false;
  if (!cursor->Take(":")) return true;
  return cursor->TakeNumber(2, 2, &fields->second) &&
         (!cursor->Take(".") || cursor->TakeFraction(&fields->microsecond));
}

bool TakeOffset(Cursor* cursor, Fields* fields) {
  fields->has_offset = true;
  cursor->Take(" ");
  if (cursor->Take("Z") || cursor->Take("UTC")) return true;
  const bool east = cursor->Take("+");
  int hours = 0, minutes = 0;
  if ((!east && !cursor->Take("-")) || !cursor->TakeNumber(2, 2, &hours)) return false;
  const bool colon = cursor->Take(":");
  if ((colon || !cursor->at_end()) && !cursor->TakeNumber(2, 2, &minutes)) return false;
  fields->offset_minutes = (east ? 1 : -1) * (hours * 60 + minutes);
  return hours <= 23 && minutes <= 59;
}

// Reads a text that begins with a year and a separator, and returns its form; empty if it is none.
absl::string_view ScanDate(Cursor cursor, Fields* fields) {
  if (!cursor.TakeNumber(4, 4, &fields->year)) return "";
  const bool dashes = cursor.Take("-");
  if (!dashes && !cursor.Take("/")) return "";
  if (!cursor.TakeNumber(1, 2, &fields->month)) return "";
  if (dashes && cursor.at_end()) return "YYYY-MM";
  if (!cursor.Take(dashes ? "-" : "/") || !cursor.TakeNumber(1, 2, &fields->day)) return "";
  const absl::Span<const absl::string_view> forms = kDateForms[dashes ? 0 : 1];
  if (cursor.at_end()) return forms[0];
  if ((!cursor.Take("T") && !cursor.Take(" ")) || !TakeTimeOfDay(&cursor, fields)) return "";
  if (cursor.at_end()) return forms[1];
  return TakeOffset(&cursor, fields) && cursor.at_end() ? forms[2] : absl::string_view();
}

// Reads a date with a month's name, and returns its form; empty if it is none.
absl::string_view ScanMonthNameDate(Cursor cursor, Fields* fields) {
  if (!cursor.TakeMonthName(&fields->month) || !cursor.Take(" ")) return "";
  if (!cursor.TakeNumber(1, 2, &fields->day)) return "";
  cursor.Take(",");
  if (!cursor.Take(" ") || !cursor.TakeNumber(4, 4, &fields->year) || !cursor.at_end()) return "";
  return "Mon D YYYY";
}

// Reads a year or a date of digits alone, and returns its form; empty if it is none.
absl::string_view ScanDigitDate(absl::string_view text, Fields* fields) {
  if (text[0] != '1' && text[0] != '2') return "";
  Cursor cursor(text);
  if (!cursor.TakeNumber(4, 4, &fields->year)) return "";
  if (cursor.at_end()) return "YYYY";
  if (!cursor.TakeNumber(2, 2, &fields->month) || !cursor.TakeNumber(2, 2, &fields->day)) return "";
  return cursor.at_end() ? "YYYYMMDD" : "";
}

bool IsNumber(absl::string_view text) {
  return !text.empty() && absl::ascii_isdigit(text[0]) && absl::ascii_isdigit(text.back()) &&
         std::count(text.begin(), text.end(), '.') <= 1 &&
         text.find_first_not_of("0123456789.") == absl::string_view::npos;
}

// REQUIRES: IsNumber(text).
absl::StatusOr<TextTime> ParseNumber(absl::string_view text, const absl::TimeZone& zone) {
  TextTime time;
  Fields fields;
  time.form = ScanDigitDate(text, &fields);
  if (!time.form.empty() && ToUnixSeconds(fields, zone, INT64_MIN, &time.unix_seconds)) return time;
  const absl::string_view digits = text.substr(0, text.find('.'));
  if (digits.size() == 12 && (digits[0] == '1' || digits[0] == '2')) {
    return NotATime(text, "it may be YYYYMMDDHHMM or milliseconds since 1970; write the date with dashes");
  }
  int64_t count = 0;
  for (const UnitOfSeconds& unit : kUnits) {
    const bool fits = digits.size() >= unit.min_digits && digits.size() <= unit.max_digits && digits[0] != '0';
    if (!fits || !absl::SimpleAtoi(digits, &count)) continue;
    int64_t microsecond = count % unit.per_second * 1'000'000 / unit.per_second;
    if (unit.per_second == 1 && digits.size() < text.size())
      Cursor(text.substr(digits.size() + 1)).TakeFraction(&microsecond);
    return TextTime{count / unit.per_second, unit.form, microsecond};
  }
  return NotATime(
      text,
      "a number is a year of 4 digits, a date YYYYMMDD, or counts since 1970 seconds (9 or 10 digits), milli- "
      "(12 or 13), micro- (15 or 16) or nanoseconds (18 or 19)");
}

// %Y takes all the digits there are, so that %Y%m%d reads nothing; %E4Y takes four.
std::string WithFourDigitYears(absl::string_view format) {
  std::string result;
  for (size_t i = 0; i < format.size(); ++i) {
    result += format[i];
    if (format[i] != '%' || i + 1 == format.size()) continue;
    absl::StrAppend(&result, format[i + 1] == 'Y' ? "E4" : "", format.substr(i + 1, 1));
    ++i;
  }
  return result;
}

}  // namespace

absl::StatusOr<TextTime> ParseTimeText(absl::string_view text, const absl::TimeZone& zone, int64_t after) {
  const absl::string_view stripped = absl::StripAsciiWhitespace(text);
  if (IsNumber(stripped)) return ParseNumber(stripped, zone);
  TextTime time;
  Fields fields;
  time.form = ScanDate(Cursor(stripped), &fields);
  if (time.form.empty()) time.form = ScanMonthNameDate(Cursor(stripped), &fields);
  if (!time.form.empty() && ToUnixSeconds(fields, zone, after, &time.unix_seconds)) {
    time.microsecond = fields.microsecond;
    return time;
  }
  Fields anywhere = fields;
  anywhere.has_offset = true;
  if (!time.form.empty() && ToUnixSeconds(anywhere, zone, after, &time.unix_seconds) && !fields.has_offset) {
    return NotATime(text, absl::StrCat("the clocks of ", zone.name(), " skip it"));
  }
  return NotATime(
      text,
      "a time is written as 2015-01-31, 2015-01-31 13:45:30+01:00, 2015/01/31, 20150131, Jan 31 2015, 2015-01, "
      "2015, or as a number of seconds, milli-, micro- or nanoseconds since 1970");
}

absl::StatusOr<TextTime> ParseTimeAs(absl::string_view text, absl::string_view format, const absl::TimeZone& zone,
                                     int64_t after) {
  absl::Time time;
  std::string ignored;
  const bool parsed = absl::ParseTime(WithFourDigitYears(format), text, absl::UTCTimeZone(), &time, &ignored);
  const absl::Time second = absl::FromUnixSeconds(absl::ToUnixSeconds(time));
  TextTime result;
  result.form = "as its format says";
  result.unix_seconds = absl::ToUnixSeconds(time);  // the least or the greatest number for an infinite time
  if (parsed && result.unix_seconds >= kMinTime && result.unix_seconds <= kMaxTime) {
    result.microsecond = absl::ToInt64Microseconds(time - second);
    const bool is_local = !absl::StrContains(format, "z") && !absl::StrContains(format, "%s");
    const absl::CivilSecond local = absl::ToCivilSecond(time, absl::UTCTimeZone());
    const bool has_time_of_day = absl::CivilSecond(absl::CivilDay(local)) != local;
    if (!is_local || FromLocal(local, has_time_of_day, zone, result.microsecond, after, &result.unix_seconds)) {
      return result;
    }
    return NotATime(text, absl::StrCat("the clocks of ", zone.name(), " skip it"));
  }
  return NotATime(text, absl::StrCat("wanted is the format ", format));
}

absl::StatusOr<TextTime> ReadTime(absl::string_view text, const TimeReading& reading, int64_t after) {
  if (reading.format.empty()) return ParseTimeText(text, reading.zone, after);
  return ParseTimeAs(text, reading.format, reading.zone, after);
}

std::string FormatMicroseconds(int64_t unix_microseconds, const absl::TimeZone& zone) {
  const absl::Time time = absl::FromUnixMicros(unix_microseconds);
  const bool is_utc = zone == absl::UTCTimeZone();
  return absl::FormatTime(is_utc ? "%E4Y-%m-%dT%H:%M:%E*SZ" : "%E4Y-%m-%dT%H:%M:%E*S%Ez", time, zone);
}

}  // namespace rondo
