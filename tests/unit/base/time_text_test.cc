#include "base/time_text.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/base/time_texts.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ProblemOf(absl::string_view text) { return std::string(ParseTimeText(text).status().message()); }

TEST(TimeTextTest, EachTextMeansWhatTheTableSays) {
  for (const TimeCase& c : kTimeCases) {
    const absl::StatusOr<TextTime> time = ParseTimeText(c.text);
    if (c.unix_seconds == kRefused) {
      EXPECT_EQ(time.status().code(), absl::StatusCode::kInvalidArgument) << c;
      continue;
    }
    ASSERT_TRUE(time.ok()) << c << ": " << time.status();
    EXPECT_EQ(time->unix_seconds, c.unix_seconds) << c;
  }
}

TEST(TimeTextTest, TheFormTellsApartWhatIsWrittenInAnotherWay) {
  const std::pair<const char*, const char*> kForms[] = {
      {"2015", "YYYY"},
      {"2015-01", "YYYY-MM"},
      {"2015-01-01", "YYYY-MM-DD"},
      {"2015/01/01", "YYYY/MM/DD"},
      {"20150101", "YYYYMMDD"},
      {"Jan 1 2015", "Mon D YYYY"},
      {"2015-01-01 00:00", "YYYY-MM-DD HH:MM"},
      {"2015-01-01T00:00:00.5", "YYYY-MM-DD HH:MM"},
      {"2015-01-01 00:00+01", "YYYY-MM-DD HH:MM+HH:MM"},
      {"2015/01/01 00:00", "YYYY/MM/DD HH:MM"},
      {"2015/01/01 00:00Z", "YYYY/MM/DD HH:MM+HH:MM"},
      {"1577836800", "seconds since 1970"},
      {"1577836800000", "milliseconds since 1970"},
      {"1577836800000000", "microseconds since 1970"},
      {"1577836800000000000", "nanoseconds since 1970"},
  };
  for (const auto& [text, form] : kForms) EXPECT_EQ(ParseTimeText(text).value_or(TextTime()).form, form) << text;
}

TEST(TimeTextTest, ARefusalSaysWhatCameAndWhatWasWanted) {
  EXPECT_THAT(ProblemOf("yesterday"), StartsWith("'yesterday' is not a time; a time is written as 2015-01-31"));
  EXPECT_THAT(ProblemOf("201501"), StartsWith("'201501' is not a time; a number is a year of 4 digits"));
  EXPECT_THAT(ProblemOf("201501011345"), HasSubstr("may be YYYYMMDDHHMM or milliseconds"));
  EXPECT_THAT(ProblemOf(std::string(1000, 'x')), StartsWith(absl::StrCat("'", std::string(40, 'x'), "...' is not")));
}

TEST(TimeTextTest, ATextIsReadInTheFormatThatSomebodyNames) {
  const std::pair<const char*, const char*> kFormats[] = {
      {"20150101", "%Y%m%d"},
      {"2015010100", "%Y%m%d%H"},
      {"201501010000", "%Y%m%d%H%M"},
      {"201501", "%Y%m"},
      {"2015-01", "%Y-%m"},
      {"2015", "%Y"},
      {"01.01.2015", "%d.%m.%Y"},
      {"01/01/2015", "%m/%d/%Y"},
      {"01/01/2015 12:00:00 AM", "%m/%d/%Y %I:%M:%S %p"},
      {"01-Jan-15", "%d-%b-%y"},
      {"2015-01-01T01:00:00.5+01:00", "%Y-%m-%dT%H:%M:%E*S%Ez"},
      {"%Y 20150101", "%%Y %E4Y%m%d"},
      {"1420070400", "%s"},
  };
  for (const auto& [text, format] : kFormats)
    EXPECT_EQ(ParseTimeAs(text, format).value_or(TextTime()).unix_seconds, kNewYear2015) << text;
  EXPECT_EQ(ParseTimeAs("-7", "%s").value_or(TextTime()).unix_seconds, -7);
}

TEST(TimeTextTest, AFormatThatDoesNotFitIsNamed) {
  EXPECT_EQ(ParseTimeAs("2015-01-01", "%Y%m%d").status(),
            absl::InvalidArgumentError("'2015-01-01' is not a time; wanted is the format %Y%m%d"));
  for (const char* text : {"infinite-future", "infinite-past", "", "1420070400000"}) {
    EXPECT_EQ(ParseTimeAs(text, "%s").status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(ParseTimeAs("2015", "%Y%").ok());
}

TEST(TimeTextTest, ATimeIsWrittenAsItIsRead) {
  EXPECT_EQ(FormatMicroseconds(kLeapDayNoon2012 * 1'000'000), "2012-02-29T12:00:00Z");
  for (const int64_t time : {kMinTime, int64_t{-1}, kNewYear2020, kMaxTime}) {
    EXPECT_EQ(ParseTimeText(FormatMicroseconds(time * 1'000'000)).value_or(TextTime()).unix_seconds, time);
  }
}

}  // namespace
}  // namespace rondo
