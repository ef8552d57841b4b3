#include "base/calendar_step.h"

#include "base/time_text.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

absl::TimeZone Zone(const char* name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone)) << name;
  return zone;
}

std::vector<int64_t> Times(const std::vector<const char*>& texts, const absl::TimeZone& zone = absl::UTCTimeZone()) {
  std::vector<int64_t> times;
  for (const char* text : texts) {
    times.push_back(ParseTimeText(text, zone, times.empty() ? INT64_MIN : times.back())->unix_microseconds());
  }
  return times;
}

std::string StepOf(const std::vector<const char*>& texts, const char* zone = "UTC") {
  return StepText(FindStep({Times(texts, Zone(zone))}, Zone(zone)));
}

TEST(CalendarStepTest, TheStepOfATableIsWhatACalendarCallsIt) {
  EXPECT_EQ(StepOf({"2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01"}), "1 month");
  EXPECT_EQ(StepOf({"2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"}), "1 month end");
  EXPECT_EQ(StepOf({"2020-01-30", "2020-02-29", "2020-03-30", "2020-04-30"}), "1 month");
  EXPECT_EQ(StepOf({"2021-01-01", "2021-04-01", "2021-07-01"}), "3 month");
  EXPECT_EQ(StepOf({"1999", "2000", "2001", "2002"}), "12 month");
  EXPECT_EQ(StepOf({"2020-01-06", "2020-01-13", "2020-01-20"}), "604800s");
  EXPECT_EQ(StepOf({"2020-01-09", "2020-01-10", "2020-01-13", "2020-01-14", "2020-01-15", "2020-01-16", "2020-01-17",
                    "2020-01-20", "2020-01-21", "2020-01-22", "2020-01-23"}),
            "1 business day");
  EXPECT_EQ(StepOf({"2020-01-09", "2020-01-10", "2020-01-11", "2020-01-13"}), "86400s");
  EXPECT_EQ(StepOf({"2020-01-01 00:00:00.5", "2020-01-01 00:00:00.75", "2020-01-01 00:00:01"}), "0.25s");
  EXPECT_EQ(StepOf({"2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01 02:00", "2020-01-01 04:00"}), "3600s");
  EXPECT_EQ(StepOf({"2020-03-28", "2020-03-29", "2020-03-30", "2020-03-31"}, "Europe/Berlin"), "1 day");
  EXPECT_EQ(StepOf({"2020-01-01"}), "");
}

TEST(CalendarStepTest, AnHourThatComesTwiceIsTwoStepsAndOneThatIsSkippedIsNone) {
  EXPECT_EQ(StepOf({"2020-10-25 01:00", "2020-10-25 02:00", "2020-10-25 02:00", "2020-10-25 03:00"}, "Europe/Berlin"),
            "3600s");
  EXPECT_EQ(StepOf({"2020-10-25 02:00", "2020-10-25 02:30", "2020-10-25 02:00", "2020-10-25 02:30", "2020-10-25 03:00"},
                   "Europe/Berlin"),
            "1800s");
  EXPECT_EQ(StepOf({"2020-03-29 00:00", "2020-03-29 01:00", "2020-03-29 03:00"}, "Europe/Berlin"), "3600s");
  EXPECT_FALSE(ParseTimeText("2020-03-29 02:30", Zone("Europe/Berlin")).ok());
}

TEST(CalendarStepTest, StepsAreAddedAsTheyAreCounted) {
  const std::pair<const char*, const char*> kCases[] = {
      {"1 month", "2020-01-31"},  {"1 month end", "2020-01-31"},    {"3 month", "2019-11-30"},
      {"12 month", "2020-02-29"}, {"1 business day", "2020-01-09"}, {"1 day", "2020-03-20 12:00"},
      {"0.25s", "2020-01-01"},    {"3600s", "1969-12-31 23:00"}};
  for (const auto& [text, origin] : kCases) {
    const CalendarStep step = ParseStep(text).value();
    EXPECT_EQ(StepText(step), text);
    const absl::TimeZone zone = Zone("America/New_York");
    const int64_t from = ParseTimeText(origin, zone)->unix_microseconds();
    for (const int64_t steps : {-30, -1, 0, 1, 2, 13, 400}) {
      EXPECT_EQ(StepsBetween(step, zone, from, AddSteps(step, zone, from, steps)), steps) << text;
    }
  }
  const auto after = [](const char* step, const char* origin) {
    const int64_t from = ParseTimeText(origin)->unix_microseconds();
    return FormatMicroseconds(AddSteps(*ParseStep(step), absl::UTCTimeZone(), from, 1));
  };
  EXPECT_EQ(after("1 month", "2020-01-31"), "2020-02-29T00:00:00Z");
  EXPECT_EQ(after("1 month end", "2020-02-29"), "2020-03-31T00:00:00Z");
  EXPECT_EQ(after("1 business day", "2020-01-10"), "2020-01-13T00:00:00Z");
  EXPECT_EQ(after("0.5s", "2020-01-01 00:00:00.25"), "2020-01-01T00:00:00.75Z");
}

TEST(CalendarStepTest, WhatIsNoStepIsRefused) {
  for (const char* text : {"", "s", "0s", "-1s", "1 fortnight", "0 day", "day", "1e99s", "nans"}) {
    EXPECT_FALSE(ParseStep(text).ok()) << text;
  }
}

}  // namespace
}  // namespace rondo
