#include "base/table_format.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

constexpr double kNothing = -1234.5;

double Read(const char* text, const TableFormat& format = {}) { return ParseCell(text, format)->value_or(kNothing); }

TEST(TableFormatTest, TextsThatStandForNoValueAreNoValue) {
  for (const char* text :
       {"", " ", "NA", "n/a", "N/A", "#N/A", "NaN", "None", "NULL", "missing", "?", ".", "-", "\\N"}) {
    EXPECT_EQ(Read(text), kNothing) << text;
  }
  TableFormat format;
  format.missing_values = {"-9999", "broken"};
  EXPECT_EQ(Read("-9999", format), kNothing);
  EXPECT_EQ(Read("broken", format), kNothing);
  EXPECT_EQ(Read("-9999"), -9999);
}

TEST(TableFormatTest, NumbersAreReadAsTheirTableWritesThem) {
  TableFormat comma, thousands, german;
  comma.decimal = ',';
  thousands.thousands = ',';
  german.decimal = ',';
  german.thousands = '.';
  EXPECT_EQ(Read("-1.5e3"), -1500);
  EXPECT_EQ(Read("TRUE"), 1);
  EXPECT_EQ(Read("false"), 0);
  EXPECT_EQ(Read("1,5", comma), 1.5);
  EXPECT_EQ(Read("11,288.25", thousands), 11288.25);
  EXPECT_EQ(Read("1,234,567", thousands), 1234567);
  EXPECT_EQ(Read("-1.234.567,5", german), -1234567.5);
  for (const char* text : {"1,2", "1,2345", ",123", "12,34,567"}) EXPECT_FALSE(ParseCell(text, thousands).ok()) << text;
  EXPECT_FALSE(ParseCell("1.5", comma).ok());
}

TEST(TableFormatTest, WhatIsNoNumberIsRefusedWithARemedy) {
  const auto problem = [](const char* text) { return std::string(ParseCell(text, {}).status().message()); };
  EXPECT_EQ(problem("calm"),
            "'calm' is not a finite number; leave the column out, or name what stands for no value with "
            "--missing_values=LIST");
  EXPECT_THAT(problem("1,52"), HasSubstr("--decimal=, reads it"));
  EXPECT_THAT(problem("1,523"), HasSubstr("--decimal=, or --thousands=,"));
  EXPECT_THAT(problem("1,523.25"), HasSubstr("--thousands=, reads it"));
  EXPECT_THAT(problem("12%"), HasSubstr("percent"));
  for (const char* text : {"inf", "1e999", "0x1F", "1 2", "nanny", "1e"})
    EXPECT_FALSE(ParseCell(text, {}).ok()) << text;
  EXPECT_EQ(DelimiterAdvice({"date;y"}), "; --delimiter=; may read it");
  EXPECT_EQ(DelimiterAdvice({"date", "y"}), "");
}

TEST(TableFormatTest, ASeriesHasItsOwnUnitOrThatOfTheColumn) {
  TableFormat format;
  format.units = {{"y", "", 10, 1}, {"y", "big", 0, 100}};
  EXPECT_EQ(format.UnitOf("y", "big").scale, 100);
  EXPECT_EQ(format.UnitOf("y", "other").offset, 10);
  EXPECT_EQ(format.UnitOf("z", "big").scale, 1);
  format.time_zone = "Middle/Earth";
  EXPECT_THAT(std::string(ReadingOf(format).status().message()), HasSubstr("'Middle/Earth'"));
}

}  // namespace
}  // namespace rondo
