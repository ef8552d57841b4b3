#ifndef RONDO_TESTS_UNIT_BASE_TIME_TEXTS_H_
#define RONDO_TESTS_UNIT_BASE_TIME_TEXTS_H_

#include <cstdint>
#include <ostream>

namespace rondo {

constexpr int64_t kRefused = INT64_MIN;

// A text in a column of times, and what it means to everything that reads one.
struct TimeCase {
  const char* text;
  int64_t unix_seconds;  // or kRefused
};

inline std::ostream& operator<<(std::ostream& out, const TimeCase& c) { return out << "'" << c.text << "'"; }

constexpr int64_t kNewYear2015 = 1420070400;      // 2015-01-01 00:00:00 UTC
constexpr int64_t kNewYear2020 = 1577836800;      // 2020-01-01 00:00:00 UTC
constexpr int64_t kLeapDayNoon2012 = 1330516800;  // 2012-02-29 12:00:00 UTC

constexpr TimeCase kTimeCases[] = {
    // Dates.
    {"2015-01-01", kNewYear2015},
    {"2015-1-1", kNewYear2015},
    {"2015/01/01", kNewYear2015},
    {"2015/1/1", kNewYear2015},
    {"20150101", kNewYear2015},
    {"Jan 1 2015", kNewYear2015},
    {"jan 01, 2015", kNewYear2015},
    {"January 1 2015", kNewYear2015},
    {" 2015-01-01 ", kNewYear2015},
    {"1970-01-01", 0},
    {"1969-12-31", -86400},
    {"0001-01-01", -62135596800},
    {"9999-12-31", 253402214400},
    {"2012-02-29", kLeapDayNoon2012 - 43200},
    {"20120229", kLeapDayNoon2012 - 43200},
    // Months and years.
    {"2015-01", kNewYear2015},
    {"2015-12", 1448928000},
    {"2015", kNewYear2015},
    {"1820", -4733596800},
    {"1000", -30610224000},
    {"2999", 32472144000},
    // Dates with a time of day.
    {"2012-02-29T12:00", kLeapDayNoon2012},
    {"2012-02-29 12:00", kLeapDayNoon2012},
    {"2012-02-29t12:00:00z", kLeapDayNoon2012},
    {"2012-02-29T12:00:00", kLeapDayNoon2012},
    {"2012-02-29 12:00:00", kLeapDayNoon2012},
    {"2012/02/29 12:00", kLeapDayNoon2012},
    {"2012/2/29 12:00:00", kLeapDayNoon2012},
    {"2012-02-29 9:05", kLeapDayNoon2012 - 10500},
    {"2012-02-29T12:00:00.999", kLeapDayNoon2012},
    {"2012-02-29 12:00:00.000000000", kLeapDayNoon2012},
    {"1969-12-31 23:59:59.5", -1},
    {"2016-12-31T23:59:60Z", 1483228800},
    // With an offset.
    {"2012-02-29T12:00:00Z", kLeapDayNoon2012},
    {"2012-02-29T12:00Z", kLeapDayNoon2012},
    {"2012-02-29 12:00:00 UTC", kLeapDayNoon2012},
    {"2012-02-29T13:00:00+01:00", kLeapDayNoon2012},
    {"2012-02-29 13:00:00+0100", kLeapDayNoon2012},
    {"2012-02-29 13:00:00 +0100", kLeapDayNoon2012},
    {"2012-02-29 13:00:00+01", kLeapDayNoon2012},
    {"2012-02-29 04:00:00.25-08:00", kLeapDayNoon2012},
    {"2012/02/29 17:30+05:30", kLeapDayNoon2012},
    {"2022-10-20 02:00:00+02:00", 1666224000},
    // Numbers since 1970, by how many digits they have.
    {"1577836800", kNewYear2020},
    {"1577836800.0", kNewYear2020},
    {"1577836800.999", kNewYear2020},
    {"1577836800000", kNewYear2020},
    {"1577836800999", kNewYear2020},
    {"1577836800000000", kNewYear2020},
    {"1577836800000000000", kNewYear2020},
    {"100000000", 100000000},
    {"9999999999", 9999999999},
    {"631152000000", 631152000},
    {"100000000000000", 100000000},
    {"100000000000000000", 100000000},
    {"9223372036854775807", 9223372036},
    // Numbers that may be something else: counters, serial days, YYYYMM, YYYYDDD, YYYYMMDDHHMM[SS], and more.
    {"0", kRefused},
    {"12", kRefused},
    {"-1", kRefused},
    {"0999", kRefused},
    {"3000", kRefused},
    {"43831", kRefused},
    {"201501", kRefused},
    {"2015001", kRefused},
    {"20151301", kRefused},
    {"20150230", kRefused},
    {"2015.5", kRefused},
    {"20150101.0", kRefused},
    {"012345678", kRefused},
    {"15778368000", kRefused},
    {"201501011345", kRefused},
    {"20150101134500", kRefused},
    {"15778368000000000", kRefused},
    {"9223372036854775808", kRefused},
    {"99999999999999999999", kRefused},
    {"1.5778368e9", kRefused},
    {"1577836800.", kRefused},
    {"1577836800.0.0", kRefused},
    {"1,577,836,800", kRefused},
    // No times.
    {"", kRefused},
    {"-", kRefused},
    {"today", kRefused},
    {"infinite-future", kRefused},
    {"2012-13-01", kRefused},
    {"2012-02-30", kRefused},
    {"2011-02-29", kRefused},
    {"0000-01-01", kRefused},
    {"2012-00-01", kRefused},
    {"2012-013", kRefused},
    {"2012/02", kRefused},
    {"2012-02/29", kRefused},
    {"12-02-29", kRefused},
    {"29.02.2012", kRefused},
    {"02/29/2012", kRefused},
    {"29-Feb-12", kRefused},
    {"29 Feb 2012", kRefused},
    {"Feb 30 2012", kRefused},
    {"Febr 29 2012", kRefused},
    {"2012-02-29x", kRefused},
    {"2012-02-29T", kRefused},
    {"2012-02-29T12", kRefused},
    {"2012-02-29T24:00", kRefused},
    {"2012-02-29T12:60", kRefused},
    {"2012-02-29T12:00:61", kRefused},
    {"2012-02-29T12:00:00.", kRefused},
    {"2012-02-29T12:00:00 CET", kRefused},
    {"2012-02-29T12:00+1", kRefused},
    {"2012-02-29T12:00+24:00", kRefused},
    {"2012-02-29T12:00+01:", kRefused},
    {"2012-02-29 01:00:00 PM", kRefused},
    {"0001-01-01 00:00+01:00", kRefused},
    {"9999-12-31 23:59-01:00", kRefused},
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_BASE_TIME_TEXTS_H_
