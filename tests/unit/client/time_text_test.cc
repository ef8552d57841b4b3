#include "client/cli/time_text.h"

#include "gtest/gtest.h"

namespace rondo {
namespace {

TEST(ParseTimeTextTest, DatesAreMidnightUtc) {
  EXPECT_EQ(*ParseTimeText("1970-01-01"), 0);
  EXPECT_EQ(*ParseTimeText("2012-02-29"), 1330473600);
  EXPECT_EQ(*ParseTimeText("1969-12-31"), -86400);
}

TEST(ParseTimeTextTest, TimesAreUtcUnlessAnOffsetIsGiven) {
  const int64_t noon = 1330516800;  // 2012-02-29 12:00:00 UTC
  for (const char* text :
       {"2012-02-29T12:00", "2012-02-29 12:00", "2012-02-29T12:00:00", "2012-02-29 12:00:00", "2012-02-29T12:00:00Z",
        "2012-02-29T13:00:00+01:00", "2012-02-29 04:00:00-08:00", "2012-02-29T12:00Z", "2012-02-29T12:00:00.999"}) {
    EXPECT_EQ(ParseTimeText(text).value_or(-1), noon) << text;
  }
}

TEST(ParseTimeTextTest, UnixSecondsAreTakenAsTheyAre) {
  EXPECT_EQ(*ParseTimeText("1330516800"), 1330516800);
  EXPECT_EQ(*ParseTimeText("-1"), -1);
  EXPECT_EQ(*ParseTimeText("2012"), 2012);
}

TEST(ParseTimeTextTest, WhatCouldBeMisreadIsRefused) {
  for (const char* text : {"20120229", "1330516800000", "99999999999999999999"}) {
    EXPECT_FALSE(ParseTimeText(text).ok()) << text;
  }
  EXPECT_TRUE(ParseTimeText("20129999").ok());  // no date
}

TEST(ParseTimeTextTest, OtherTextIsRefused) {
  for (const char* text : {"", "-", "today", "infinite-future", "2012-13-01", "2012-02-30", "2012-02-29T25:00",
                           "29.02.2012", "2012-02-29x", "2012-02-29T12:00:00 CET", "1.5"}) {
    EXPECT_EQ(ParseTimeText(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace rondo
