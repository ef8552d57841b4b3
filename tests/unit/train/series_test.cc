#include "model/train/series.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/train/time_column.h"
#include "model/train/token_text.h"

namespace rondo::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string ProblemOf(absl::string_view csv, const SeriesOptions& options) {
  const auto table = ParseCsv(csv);
  if (!table.ok()) return std::string(table.status().message());
  const auto set = MakeSeries(*table, options);
  return set.ok() ? "" : std::string(set.status().message());
}

SeriesOptions Timed(Irregular irregular = Irregular::kError, Missing missing = Missing::kError) {
  SeriesOptions options;
  options.columns = {"x"};
  options.time = "t";
  options.time_format = "%s";
  options.irregular = irregular;
  options.missing = missing;
  return options;
}

TEST(CsvTest, QuotedFieldsAndLineEndsOfAnySystemAreRead) {
  const auto table = ParseCsv(
      "\xEF\xBB\xBF"
      "a,\"b,c\"\r\n1,\"say \"\"hi\"\"\"\r\n2,\r\n");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->header, ElementsAre("a", "b,c"));
  EXPECT_THAT(table->columns[1], ElementsAre("say \"hi\"", ""));
}

TEST(CsvTest, WhatIsNotStrictCsvIsRefusedByRow) {
  const SeriesOptions options;
  EXPECT_THAT(ProblemOf("", options), HasSubstr("empty"));
  EXPECT_THAT(ProblemOf("a,b\n1,2\n3\n", options), HasSubstr("row 3 has 1 fields; the header has 2"));
  EXPECT_THAT(ProblemOf("a,b\n1,\"2\n", options), HasSubstr("row 2 is not CSV"));
  EXPECT_THAT(ProblemOf("a,b\n1,x\"2\n", options), HasSubstr("row 2 is not CSV"));
  EXPECT_THAT(ProblemOf("a,a\n1,2\n", options), HasSubstr("'a' twice"));
}

TEST(SeriesTest, AnAbsentColumnIsNamedWithThoseThatThereAre) {
  EXPECT_THAT(ProblemOf("t,y\n1,2\n", Timed()), testing::AllOf(HasSubstr("'x'"), HasSubstr("t, y")));
}

TEST(SeriesTest, AHeaderAloneIsRefused) { EXPECT_THAT(ProblemOf("t,x\n", Timed()), HasSubstr("no rows")); }

TEST(SeriesTest, ValuesThatAreNoFiniteNumberAreRefused) {
  EXPECT_THAT(ProblemOf("t,x\n1,2\n2,two\n", Timed()), HasSubstr("row 3, column 'x' has 'two'"));
  EXPECT_THAT(ProblemOf("t,x\n1,2\n2,inf\n", Timed()), HasSubstr("a finite number"));
}

TEST(SeriesTest, MissingValuesAreAnErrorOrTheOneBefore) {
  constexpr char kCsv[] = "t,x\n1,5\n2,NaN\n3,\n4,7\n";
  EXPECT_THAT(ProblemOf(kCsv, Timed()), HasSubstr("row 3, column 'x' has no value"));
  const auto filled = MakeSeries(*ParseCsv(kCsv), Timed(Irregular::kError, Missing::kForwardFill));
  ASSERT_TRUE(filled.ok()) << filled.status();
  EXPECT_THAT(filled->series[0].values, ElementsAre(5, 5, 5, 7));
  EXPECT_THAT(ProblemOf("t,x\n1,\n2,3\n", Timed(Irregular::kError, Missing::kForwardFill)), HasSubstr("none before"));
}

TEST(SeriesTest, IrregularStepsAreNamedResampledOrKept) {
  constexpr char kCsv[] = "t,x\n0,1\n10,2\n20,3\n40,5\n45,7\n50,6\n60,8\n";
  EXPECT_THAT(ProblemOf(kCsv, Timed()), HasSubstr("row 5 has the time 1970-01-01T00:00:40Z"));
  const auto resampled = MakeSeries(*ParseCsv(kCsv), Timed(Irregular::kResample, Missing::kForwardFill));
  ASSERT_TRUE(resampled.ok()) << resampled.status();
  EXPECT_THAT(resampled->series[0].values, ElementsAre(1, 2, 3, 3, 6, 6, 8));
  EXPECT_EQ(resampled->step_seconds, 10);
  const auto kept = MakeSeries(*ParseCsv(kCsv), Timed(Irregular::kKeep));
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->series[0].timesteps, 7);
  EXPECT_EQ(kept->step_seconds, 0);
  EXPECT_THAT(ProblemOf("t,x\n10,1\n10,2\n", Timed(Irregular::kKeep)), HasSubstr("times must grow"));
}

TEST(SeriesTest, SeveralSeriesInOneFileAreSplitByTheirColumn) {
  SeriesOptions options = Timed();
  options.series = "id";
  const auto set = MakeSeries(*ParseCsv("t,id,x\n1,a,1\n1,b,10\n2,a,2\n2,b,20\n"), options);
  ASSERT_TRUE(set.ok()) << set.status();
  ASSERT_EQ(set->series.size(), 2u);
  EXPECT_THAT(set->series[1].values, ElementsAre(10, 20));
  EXPECT_EQ(set->step_seconds, 1);
}

TEST(TimeColumnTest, AColumnIsWrittenInOneForm) {
  EXPECT_THAT(*ParseTimes({"20150101", "20150102"}, ""), ElementsAre(1420070400, 1420156800));
  EXPECT_THAT(*ParseTimes({"2015-01-01 00:00", "2015-01-01T00:00:01.5"}, ""), ElementsAre(1420070400, 1420070401));
  EXPECT_EQ(ParseTimes({"20150101", "20150102", "2015-01-03"}, "").status(),
            absl::InvalidArgumentError("row 4 has the time '2015-01-03' (YYYY-MM-DD) where the rows before have "
                                       "YYYYMMDD; a column of times is written in one form"));
  for (const char* other : {"2015", "1420156800", "1420156800000", "2015-01-02 00:00+01:00", "2015-01-02 00:00"}) {
    EXPECT_THAT(std::string(ParseTimes({"2015-01-01", other}, "").status().message()), HasSubstr("row 3")) << other;
  }
}

TEST(TimeColumnTest, ATextThatIsNoTimeIsNamedByRowWithTheWayOut) {
  EXPECT_THAT(std::string(ParseTimes({"1970-01-01", "02.01.1970"}, "").status().message()),
              testing::AllOf(HasSubstr("row 3: '02.01.1970' is not a time"), HasSubstr("--time_format")));
  EXPECT_THAT(*ParseTimes({"02.01.1970"}, "%d.%m.%Y"), ElementsAre(86400));
  EXPECT_THAT(*ParseTimes({"0", "10"}, "%s"), ElementsAre(0, 10));
  EXPECT_THAT(std::string(ParseTimes({"20150101", "2015"}, "%Y%m%d").status().message()), HasSubstr("row 3"));
}

TEST(TimeColumnTest, HoursThatCouldBeSecondsAreNotGuessed) {
  EXPECT_THAT(std::string(ParseTimes({"2015010100", "2015010101"}, "").status().message()), HasSubstr("YYYYMMDDHH"));
  EXPECT_THAT(*ParseTimes({"2015010100", "2015010101"}, "%Y%m%d%H"), ElementsAre(1420070400, 1420074000));
  EXPECT_THAT(*ParseTimes({"2015010100", "2015010160"}, ""), ElementsAre(2015010100, 2015010160));
}

TEST(TokenTextTest, IdsAreInOrderOfFrequency) {
  const auto words = ReadTokens("a b a\n\nc a\nlonely\n", TokenUnit::kWords);
  ASSERT_TRUE(words.ok()) << words.status();
  EXPECT_THAT(words->names, ElementsAre("a", "b", "c"));
  ASSERT_EQ(words->set.series.size(), 2u);
  EXPECT_THAT(words->set.series[0].values, ElementsAre(0, 1, 0));
  const auto characters = ReadTokens(
      "\xC3\xA4"
      "b\xC3\xA4\n",
      TokenUnit::kCharacters);
  ASSERT_TRUE(characters.ok());
  EXPECT_THAT(characters->names, ElementsAre("\xC3\xA4", "b"));
  EXPECT_THAT(std::string(ReadTokens("ok\n\xFF\xFE\n", TokenUnit::kCharacters).status().message()),
              HasSubstr("line 2"));
}

}  // namespace
}  // namespace rondo::train
