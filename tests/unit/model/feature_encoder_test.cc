#include "model/feature_encoder.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

// By `date -u -d ... +%s`.
constexpr int64_t kMonday = 1704067200;           // 2024-01-01 00:00:00, a Monday in a leap year
constexpr int64_t kThursdayEvening = 1709244000;  // 2024-02-29 22:00:00
constexpr int64_t kNewYearsEve = 1703980800;      // 2023-12-31 00:00:00, a Sunday
constexpr int64_t kDay = 86400;

TEST(CalendarTest, HourIsTheFractionOfTheDay) {
  EXPECT_EQ(CalendarFraction(Calendar::kHour, kMonday), 0);
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kHour, kMonday + 6 * 3600), 0.25);
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kHour, kThursdayEvening), 22.0 / 24);
}

TEST(CalendarTest, WeekdayIsTheFractionOfTheWeekSinceMonday) {
  EXPECT_EQ(CalendarFraction(Calendar::kWeekday, kMonday), 0);
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kWeekday, kThursdayEvening), (3 + 22.0 / 24) / 7);
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kWeekday, kNewYearsEve), 6.0 / 7);
}

TEST(CalendarTest, DayOfYearIsTheFractionOfTheYearAlsoOfALeapYear) {
  EXPECT_EQ(CalendarFraction(Calendar::kDayOfYear, kMonday), 0);
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kDayOfYear, kThursdayEvening), (31 + 28 + 22.0 / 24) / 366);
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kDayOfYear, kMonday + 60 * kDay), 60.0 / 366);  // March 1st
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kDayOfYear, kNewYearsEve), 364.0 / 365);
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kDayOfYear, kMonday + 365 * kDay), 365.0 / 366);
}

TEST(CalendarTest, CenturiesAreLeapYearsOnlyByFourHundred) {
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kDayOfYear, 951782400), 59.0 / 366);    // 2000-02-29
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kDayOfYear, 4107542400), 59.0 / 365);   // 2100-03-01
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kDayOfYear, -2203891200), 59.0 / 365);  // 1900-03-01
}

TEST(CalendarTest, TimesBefore1970CountForwardToo) {
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kHour, -3600), 23.0 / 24);
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kWeekday, -kDay), 2.0 / 7);  // 1969-12-31, a Wednesday
  EXPECT_DOUBLE_EQ(CalendarFraction(Calendar::kDayOfYear, -kDay), 364.0 / 365);
}

TEST(CalendarTest, AnyTimeIsAFraction) {
  for (int64_t time : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    for (Calendar calendar : {Calendar::kHour, Calendar::kWeekday, Calendar::kDayOfYear}) {
      const double fraction = CalendarFraction(calendar, time);
      EXPECT_GE(fraction, 0);
      EXPECT_LT(fraction, 1);
    }
  }
}

TEST(FeatureEncoderTest, StandardisesInputsAndAppendsSinesAndCosines) {
  ModelSpec spec;
  spec.inputs = {{"a", 10, 2}, {"b", -1, 0.5}};
  spec.calendar = {Calendar::kDayOfYear, Calendar::kHour};
  const FeatureEncoder encoder(spec, {});
  ASSERT_EQ(encoder.feature_size(), 6u);
  const float input[] = {13, -1};
  float features[6];
  encoder.Encode(input, kMonday + 6 * 3600, features);
  const double year_angle = 2 * M_PI * 0.25 / 366;
  EXPECT_THAT(features,
              testing::Pointwise(testing::FloatNear(1e-6f), {1.5f, 0.0f, static_cast<float>(std::sin(year_angle)),
                                                             static_cast<float>(std::cos(year_angle)), 1.0f, 0.0f}));
}

TEST(FeatureEncoderTest, KeepsTheDigitsOfASmallDifferenceFromALargeMean) {
  ModelSpec spec;
  spec.inputs = {{"a", 16777217.5, 0.5}};  // not a float
  const float input[] = {16777218.0f};
  float feature;
  FeatureEncoder(spec, {}).Encode(input, 0, &feature);
  EXPECT_EQ(feature, 1.0f);
}

TEST(FeatureEncoderTest, ATokenIsItsEmbedding) {
  ModelSpec spec;
  spec.tokens = 3;
  spec.embedding_size = 2;
  const FeatureEncoder encoder(spec, {0, 1, 10, 11, 20, 21});
  const float token = 2;
  float features[2];
  encoder.Encode(&token, 0, features);
  EXPECT_THAT(features, testing::ElementsAre(20, 21));
}

}  // namespace
}  // namespace rondo
