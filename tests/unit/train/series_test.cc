#include "model/train/series.h"

#include "absl/strings/str_cat.h"
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
  options.format.time_column = "t";
  options.format.time_format = "%s";
  options.irregular = irregular;
  options.format.missing = missing;
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
  EXPECT_THAT(ProblemOf("t,x\n1,2\n2,two\n", Timed()), HasSubstr("row 3, column 'x': 'two' is not"));
  EXPECT_THAT(ProblemOf("t,x\n1,2\n2,inf\n", Timed()), HasSubstr("a finite number"));
}

TEST(SeriesTest, MissingValuesAreAnErrorOrTheOneBefore) {
  constexpr char kCsv[] = "t,x\n1,5\n2,NaN\n3,\n4,7\n";
  EXPECT_THAT(ProblemOf(kCsv, Timed()), HasSubstr("row 3, column 'x' has no value"));
  const auto filled = MakeSeries(*ParseCsv(kCsv), Timed(Irregular::kError, Missing::kForwardFill));
  ASSERT_TRUE(filled.ok()) << filled.status();
  EXPECT_THAT(filled->series[0].values, ElementsAre(5, 5, 5, 7));
  EXPECT_THAT(filled->series[0].present, ElementsAre(1, 0, 0, 1));
}

TEST(SeriesTest, IrregularStepsAreNamedResampledOrKept) {
  constexpr char kCsv[] = "t,x\n0,1\n10,2\n20,3\n40,5\n45,7\n50,6\n60,8\n";
  EXPECT_THAT(ProblemOf(kCsv, Timed()), HasSubstr("row 5 has the time 1970-01-01T00:00:40Z"));
  const auto resampled = MakeSeries(*ParseCsv(kCsv), Timed(Irregular::kResample, Missing::kForwardFill));
  ASSERT_TRUE(resampled.ok()) << resampled.status();
  EXPECT_THAT(resampled->series[0].values, ElementsAre(1, 2, 3, 3, 6, 6, 8));
  EXPECT_EQ(resampled->format.step.seconds(), 10);
  const auto kept = MakeSeries(*ParseCsv(kCsv), Timed(Irregular::kKeep));
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->series[0].timesteps, 7);
  EXPECT_EQ(kept->format.step.seconds(), 0);
  EXPECT_THAT(ProblemOf("t,x\n10,1\n10,2\n", Timed(Irregular::kKeep)), HasSubstr("times must grow"));
}

TEST(SeriesTest, ASeriesBeginsWhenEveryColumnHasHadAValue) {
  SeriesOptions options = Timed(Irregular::kError, Missing::kForwardFill);
  options.columns = {"x", "y"};
  const auto set = MakeSeries(*ParseCsv("t,x,y\n0,1,\n10,2,\n20,,7\n30,4,8\n"), options);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_THAT(set->series[0].values, ElementsAre(2, 7, 4, 8));
  EXPECT_THAT(set->notes, ElementsAre(HasSubstr("begins at 1970-01-01T00:00:20Z")));
  EXPECT_THAT(ProblemOf("t,x,y\n0,1,\n10,2,\n", options), HasSubstr("column 'y' has no value in any row"));
}

TEST(SeriesTest, AHoleIsPutInAndMarked) {
  const auto set = MakeSeries(*ParseCsv("t,x\n0,1\n10,2\n40,5\n50,6\n"), Timed(Irregular::kError, Missing::kMask));
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_THAT(set->series[0].values, ElementsAre(1, 2, 2, 2, 5, 6));
  EXPECT_THAT(set->series[0].present, ElementsAre(1, 1, 0, 0, 1, 1));
  EXPECT_EQ(set->series[0].times[3], 30000000);
}

TEST(SeriesTest, EqualTimesAndDisorderFollowThePolicy) {
  constexpr char kCsv[] = "t,x\n20,5\n0,1\n10,2\n10,4\n";
  SeriesOptions options = Timed();
  EXPECT_THAT(ProblemOf(kCsv, options),
              HasSubstr("row 3 has the time 1970-01-01T00:00:00Z after 1970-01-01T00:00:20Z"));
  EXPECT_THAT(ProblemOf(kCsv, options), HasSubstr("--sort"));
  options.sort = true;
  EXPECT_THAT(ProblemOf(kCsv, options), HasSubstr("--duplicates"));
  const std::pair<Duplicates, float> kExpected[] = {
      {Duplicates::kFirst, 2}, {Duplicates::kLast, 4}, {Duplicates::kMean, 3}};
  for (const auto& [duplicates, expected] : kExpected) {
    options.duplicates = duplicates;
    EXPECT_THAT(MakeSeries(*ParseCsv(kCsv), options)->series[0].values, ElementsAre(1, expected, 5));
  }
}

TEST(SeriesTest, LargeLevelsAndSeriesOfOtherScalesHaveUnitsOfTheirOwn) {
  std::string meter = "x\n", ids = "id,x\n";
  for (int i = 0; i < 50; ++i) {
    absl::StrAppend(&meter, 1000000000 + i % 7, "\n");
    absl::StrAppend(&ids, "big,", 1000000 + 1000 * (i % 7), "\nsmall,", 0.001 * (i % 7), "\n");
  }
  SeriesOptions options;
  options.columns = {"x"};
  const auto set = MakeSeries(*ParseCsv(meter), options);
  ASSERT_TRUE(set.ok()) << set.status();
  ASSERT_EQ(set->format.units.size(), 1u);
  EXPECT_NEAR(set->series[0].values[3] - set->series[0].values[2], 1, 1e-5);
  options.format.series_column = "id";
  const auto both = MakeSeries(*ParseCsv(ids), options);
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(both->format.units.size(), 2u);
  for (int i = 0; i < 50; ++i) EXPECT_NEAR(both->series[0].values[i], both->series[1].values[i], 1e-5);
  EXPECT_NEAR(both->format.UnitOf("x", "small").offset, 0.003, 1e-3);
}

TEST(SeriesTest, SeveralSeriesInOneFileAreSplitByTheirColumn) {
  SeriesOptions options = Timed();
  options.format.series_column = "id";
  options.series_scale = SeriesScale::kShared;
  const auto set = MakeSeries(*ParseCsv("t,id,x\n1,a,1\n1,b,10\n2,a,2\n2,b,20\n"), options);
  ASSERT_TRUE(set.ok()) << set.status();
  ASSERT_EQ(set->series.size(), 2u);
  EXPECT_THAT(set->series[1].values, ElementsAre(10, 20));
  EXPECT_EQ(set->format.step.seconds(), 1);
}

TableFormat Format(const char* time_format) {
  TableFormat format;
  format.time_format = time_format;
  return format;
}

TEST(TimeColumnTest, AColumnIsWrittenInOneForm) {
  EXPECT_THAT(*ParseTimes({"20150101", "20150102"}, {}), ElementsAre(1420070400000000, 1420156800000000));
  EXPECT_THAT(*ParseTimes({"2015-01-01 00:00", "2015-01-01T00:00:01.5"}, {}),
              ElementsAre(1420070400000000, 1420070401500000));
  EXPECT_EQ(ParseTimes({"20150101", "20150102", "2015-01-03"}, {}).status(),
            absl::InvalidArgumentError("row 4 has the time '2015-01-03' (YYYY-MM-DD) where the rows before have "
                                       "YYYYMMDD; a column of times is written in one form"));
  for (const char* other : {"2015", "1420156800", "1420156800000", "2015-01-02 00:00+01:00", "2015-01-02 00:00"}) {
    EXPECT_THAT(std::string(ParseTimes({"2015-01-01", other}, {}).status().message()), HasSubstr("row 3")) << other;
  }
}

TEST(TimeColumnTest, ATextThatIsNoTimeIsNamedByRowWithTheWayOut) {
  EXPECT_THAT(std::string(ParseTimes({"1970-01-01", "02.01.1970"}, {}).status().message()),
              testing::AllOf(HasSubstr("row 3: '02.01.1970' is not a time"), HasSubstr("--time_format")));
  EXPECT_THAT(*ParseTimes({"02.01.1970"}, Format("%d.%m.%Y")), ElementsAre(86400000000));
  EXPECT_THAT(*ParseTimes({"0", "10"}, Format("%s")), ElementsAre(0, 10000000));
  EXPECT_THAT(std::string(ParseTimes({"20150101", "2015"}, Format("%Y%m%d")).status().message()), HasSubstr("row 3"));
}

TEST(TimeColumnTest, HoursThatCouldBeSecondsAreNotGuessed) {
  EXPECT_THAT(std::string(ParseTimes({"2015010100", "2015010101"}, {}).status().message()), HasSubstr("YYYYMMDDHH"));
  EXPECT_THAT(*ParseTimes({"2015010100", "2015010101"}, Format("%Y%m%d%H")),
              ElementsAre(1420070400000000, 1420074000000000));
  EXPECT_THAT(*ParseTimes({"2015010100", "2015010160"}, {}), ElementsAre(2015010100000000, 2015010160000000));
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
