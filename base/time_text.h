#ifndef RONDO_BASE_TIME_TEXT_H_
#define RONDO_BASE_TIME_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rondo {

// Bounds of every time, in unix seconds: the years 1 to 9999, as in google.protobuf.Timestamp.
inline constexpr int64_t kMinTime = -62'135'596'800;
inline constexpr int64_t kMaxTime = 253'402'300'799;

// A time that was read from a text.
struct TextTime {
  int64_t unix_seconds = 0;
  absl::string_view form;   // how the text is written, for messages and comparisons; a literal: "YYYY-MM-DD", ...
  int64_t microsecond = 0;  // of the second; finer fractions are cut off

  int64_t unix_microseconds() const { return unix_seconds * 1'000'000 + microsecond; }
};

// Says how the times of a column are to be read, beyond what the texts themselves say.
struct TimeReading {
  std::string format;                         // absl::ParseTime's; empty: as ParseTimeText recognises
  absl::TimeZone zone = absl::UTCTimeZone();  // of texts without an offset
};

// Reads a time as people and programs write it in tables. Without an offset in the text it is a time of `zone`.
//
// When clocks go back, an hour of local time comes twice: it is read as the first one, unless that is not after
// `after` (unix microseconds, the time of the row before), then as the second one. A local time that clocks skip when
// they go forward is refused; the start of a day that they skip is the day's first second.
//
//   2015-01-31   2015/01/31   20150131   Jan 31 2015     the start of the day; a month's name may be written out
//   2015-01      2015                                    the start of the month, of the year
//   2015-01-31T13:45:30.5+01:00                          'T' or a space before the time of day, '-' or '/' in the date;
//                                                        seconds, fraction and offset (Z, UTC, +01, +0100, +01:00) may
//                                                        be left out
//
// What a bare number is follows from how many digits it has, so that no unit is guessed:
//
//    4       a year of 1000 to 2999
//    8       a date YYYYMMDD of those years
//    9, 10   seconds since 1970, of 1973 to 2286
//   12, 13   milliseconds since 1970, of 1979 to 2286
//   15, 16   microseconds since 1970, of 1973 to 2286
//   18, 19   nanoseconds since 1970, of 1973 to 2262
//
// Twelve digits that begin with 1 or 2 are refused, since they may be YYYYMMDDHHMM. Ten digits are seconds even where
// they could be YYYYMMDDHH, which only a whole column can tell.
//
// INVALID_ARGUMENT, with what was wanted: anything else. So counters, YYYYMM, serial days and negative numbers are no
// times. ParseTimeAs reads them, if somebody says what they are.
absl::StatusOr<TextTime> ParseTimeText(absl::string_view text, const absl::TimeZone& zone = absl::UTCTimeZone(),
                                       int64_t after = INT64_MIN);

// Reads a time that is written as absl::ParseTime's `format` says, where %Y is a year of four digits, so that %Y%m%d
// works; %s is unix seconds, whatever their size. `zone` and `after` as above. INVALID_ARGUMENT: the text is written
// otherwise, or is not of the years 1 to 9999.
absl::StatusOr<TextTime> ParseTimeAs(absl::string_view text, absl::string_view format,
                                     const absl::TimeZone& zone = absl::UTCTimeZone(), int64_t after = INT64_MIN);

// Reads by `reading`: ParseTimeAs if it has a format, else ParseTimeText.
absl::StatusOr<TextTime> ReadTime(absl::string_view text, const TimeReading& reading, int64_t after = INT64_MIN);

// Writes a time as RFC 3339 with the zone's offset ("Z" for UTC) and the microseconds that are not 0.
std::string FormatMicroseconds(int64_t unix_microseconds, const absl::TimeZone& zone = absl::UTCTimeZone());

}  // namespace rondo

#endif  // RONDO_BASE_TIME_TEXT_H_
