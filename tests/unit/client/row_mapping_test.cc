#include "client/cli/row_mapping.h"

#include "client/cli/model_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ModelDescription Weather() {
  ModelDescription model;
  model.name = "weather";
  model.inputs = {"rain", "wind"};
  model.outputs = {"rain"};
  model.input_size = 2;
  model.output_size = 1;
  model.horizon = 1;
  return model;
}

ModelDescription Tokens() {
  ModelDescription model;
  model.name = "text";
  model.tokens = 5;
  model.input_size = 1;
  model.output_size = 5;
  model.head = "softmax";
  return model;
}

std::string CreateError(const ModelDescription& model, const std::vector<std::string>& header,
                        const std::string& time_column = "") {
  RowMapping::Options options;
  options.time_column = time_column;
  return std::string(RowMapping::Create(model, header, options).status().message());
}

std::string AppendError(const ModelDescription& model, const std::vector<std::string>& header,
                        const std::vector<std::string>& cells) {
  Timesteps timesteps;
  const absl::Status status = RowMapping::Create(model, header, {})->Append({7, cells}, &timesteps);
  EXPECT_THAT(timesteps.values, IsEmpty());
  EXPECT_THAT(timesteps.times, IsEmpty());
  return std::string(status.message());
}

TEST(RowMappingTest, ColumnsAreFoundByNameAndOthersAreIgnored) {
  absl::StatusOr<RowMapping> mapping = RowMapping::Create(Weather(), {"wind", "station", "rain"}, {});
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  EXPECT_TRUE(mapping->LeadingColumns().empty());
  Timesteps timesteps;
  ASSERT_TRUE(mapping->Append({1, {"3", "sea", "0.5"}}, &timesteps).ok());
  ASSERT_TRUE(mapping->Append({2, {"-4e1", "", "+1"}}, &timesteps).ok());
  EXPECT_THAT(timesteps.values, ElementsAre(0.5f, 3, 1, -40));
  EXPECT_THAT(timesteps.times, IsEmpty());
}

ModelDescription Shop() {
  ModelDescription model;
  model.name = "shop";
  model.inputs = {"sales", "price+1", "day=fair+1", "day=usual+1"};
  model.input_sources = {{"sales", "", 0}, {"price", "", 1}, {"day", "fair", 1}, {"day", "usual", 1}};
  model.outputs = {"sales"};
  model.input_size = 4;
  model.output_size = model.horizon = 1;
  return model;
}

TEST(RowMappingTest, WhatIsKnownBeforeIsTakenFromTheRowAfter) {
  absl::StatusOr<RowMapping> mapping = RowMapping::Create(Shop(), {"day", "price", "sales"}, {});
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  EXPECT_EQ(mapping->ahead(), 1u);
  EXPECT_THAT(mapping->ColumnsKnownBefore(), ElementsAre("price", "day"));
  EXPECT_FALSE(mapping->HasOnlyWhatIsKnownBefore({1, {"usual", "3", "70"}}));
  EXPECT_TRUE(mapping->HasOnlyWhatIsKnownBefore({1, {"usual", "3", ""}}));
  Timesteps timesteps;
  ASSERT_TRUE(mapping->Append({1, {"usual", "3", "70"}, {{"fair", "2", ""}}}, &timesteps).ok());
  EXPECT_THAT(timesteps.values, ElementsAre(70, 2, 1, 0));
  EXPECT_THAT(mapping->Append({2, {"usual", "3", "70"}}, &timesteps).message(),
              HasSubstr("row 3, column 'price': there is no such row"));
  EXPECT_THAT(mapping->Append({2, {"usual", "3", "70"}, {{"flood", "2", ""}}}, &timesteps).message(),
              HasSubstr("row 3, column 'day': 'flood' is none of fair, usual"));
  EXPECT_THAT(mapping->Append({2, {"usual", "3", "70"}, {{"fair"}}}, &timesteps).message(),
              HasSubstr("a row after row 2 has 1 cells"));
  EXPECT_EQ(timesteps.values.size(), 4u);
}

TEST(RowMappingTest, AColumnThatHasTheNextTimestepsValueNeedsNoRowAfter) {
  absl::StatusOr<RowMapping> mapping = RowMapping::Create(Shop(), {"day+1", "price+1", "sales"}, {});
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  EXPECT_EQ(mapping->ahead(), 0u);
  Timesteps timesteps;
  ASSERT_TRUE(mapping->Append({1, {"usual", "3", "70"}}, &timesteps).ok());
  EXPECT_THAT(timesteps.values, ElementsAre(70, 3, 0, 1));
}

TEST(RowMappingTest, AMissingColumnIsNamed) {
  EXPECT_EQ(CreateError(Weather(), {"rain", "Wind"}),
            "the table has no column 'wind'; its columns are rain, Wind; did you mean 'Wind'?");
  EXPECT_EQ(CreateError(Weather(), {"rain", "wind"}, "day"),
            "the table has no column 'day'; its columns are rain, wind");
  EXPECT_EQ(CreateError(Weather(), {"rain;wind"}),
            "the table has no column 'rain'; its columns are rain;wind; the model reads tables with another delimiter");
}

TEST(RowMappingTest, AColumnThatIsThereTwiceIsNamed) {
  EXPECT_EQ(CreateError(Weather(), {"rain", "wind", "rain"}), "column 'rain' is there twice");
}

TEST(RowMappingTest, ACellThatIsNoNumberIsNamedByRowAndColumn) {
  EXPECT_THAT(AppendError(Weather(), {"rain", "wind"}, {"1", "calm"}),
              HasSubstr("row 7, column 'wind': 'calm' is not a finite number"));
  for (const char* cell : {"", "nan", "inf", "1e99", "1 2", "1,5"}) {
    EXPECT_THAT(AppendError(Weather(), {"rain", "wind"}, {"1", cell}), HasSubstr("not a finite number")) << cell;
  }
  EXPECT_THAT(AppendError(Weather(), {"rain", "wind"}, {"1", std::string(1000, 'x')}), HasSubstr("xxx...'"));
}

TEST(RowMappingTest, ARowOfAnotherWidthIsRefused) {
  EXPECT_EQ(AppendError(Weather(), {"rain", "wind"}, {"1"}), "row 7 has 1 cells; the header has 2");
}

TEST(RowMappingTest, TimesGoOnlyToModelsThatNeedThem) {
  ModelDescription model = Weather();
  const std::vector<std::string> header = {"Date", "rain", "wind"};
  absl::StatusOr<RowMapping> mapping = RowMapping::Create(model, header, {});
  Timesteps timesteps;
  const CsvRow row = {1, {"not a time", "1", "2"}};
  ASSERT_TRUE(mapping->Append(row, &timesteps).ok());
  EXPECT_THAT(timesteps.times, IsEmpty());
  EXPECT_EQ(mapping->LeadingColumns(), std::vector<std::string>{"Date"});
  EXPECT_EQ(mapping->LeadingCells(row), std::vector<std::string>{"not a time"});

  model.needs_times = true;
  EXPECT_THAT(AppendError(model, header, row.cells), HasSubstr("row 7, column 'Date': 'not a time' is not a time"));
  mapping = RowMapping::Create(model, header, {});
  ASSERT_TRUE(mapping->Append({1, {"1970-01-02", "1", "2"}}, &timesteps).ok());
  EXPECT_THAT(timesteps.times, ElementsAre(86400));
}

TEST(RowMappingTest, ATableIsReadAsTheModelsWasWritten) {
  ModelDescription model = Weather();
  model.table.decimal = ",";
  model.table.time = "when";
  model.table.time_format = "%d.%m.%Y";
  model.table.time_zone = "Europe/Berlin";
  model.table.step = "1 day";
  model.table.missing = "forward_fill";
  model.table.missing_values = {"-9999"};
  model.table.units = {{"rain", "", 1e9, 1}};
  absl::StatusOr<RowMapping> mapping = RowMapping::Create(model, {"when", "rain", "wind"}, {});
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  Timesteps timesteps;
  ASSERT_TRUE(mapping->Append({1, {"02.01.1970", "1000000000,5", "3"}}, &timesteps).ok());
  ASSERT_TRUE(mapping->Append({2, {"03.01.1970", "-9999", "4"}}, &timesteps).ok());
  EXPECT_THAT(timesteps.values, ElementsAre(0.5f, 3, 0.5f, 4));
  EXPECT_THAT(timesteps.times, ElementsAre(86400 - 3600, 2 * 86400 - 3600));
  EXPECT_EQ(mapping->odd_steps(), 0);
  ASSERT_TRUE(mapping->Append({3, {"05.01.1970", "1000000001", "4"}}, &timesteps).ok());
  EXPECT_EQ(mapping->odd_steps(), 1);
  const std::vector<AnswerUnit> units = AnswerUnits(model, *TableOf(model), "");
  ASSERT_EQ(units.size(), 1u);
  EXPECT_EQ(units[0].offset, 1e9);
}

TEST(RowMappingTest, AStepThatIsSkippedOrRepeatedIsRefusedIfAsked) {
  ModelDescription model = Weather();
  model.needs_times = true;
  model.table.step = "3600s";
  RowMapping::Options options;
  options.odd_step = OddStep::kRefuse;
  absl::StatusOr<RowMapping> mapping = RowMapping::Create(model, {"time", "rain", "wind"}, options);
  Timesteps timesteps;
  ASSERT_TRUE(mapping->Append({1, {"2020-01-01 00:00", "1", "2"}}, &timesteps).ok());
  for (const char* time : {"2020-01-01 02:00", "2020-01-01 00:00", "2019-12-31 23:00"}) {
    EXPECT_THAT(std::string(mapping->Append({2, {time, "1", "2"}}, &timesteps).message()),
                HasSubstr("not one step (3600s)"));
  }
  EXPECT_TRUE(mapping->Append({2, {"2020-01-01 01:00", "1", "2"}}, &timesteps).ok());
  EXPECT_THAT(timesteps.times, testing::SizeIs(2));
}

TEST(RowMappingTest, RowsOfASeriesAreSentInItsUnit) {
  ModelDescription model = Weather();
  model.table.series = "town";
  model.table.units = {{"rain", "sea", 0, 10}, {"wind", "sea", 1, 1}};
  EXPECT_THAT(CreateError(model, {"town", "rain", "wind"}), HasSubstr("--series=NAME"));
  RowMapping::Options options;
  options.series = "mars";
  EXPECT_THAT(std::string(RowMapping::Create(model, {"town", "rain", "wind"}, options).status().message()),
              HasSubstr("'mars'"));
  options.series = "sea";
  absl::StatusOr<RowMapping> mapping = RowMapping::Create(model, {"town", "rain", "wind"}, options);
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  Timesteps timesteps;
  ASSERT_TRUE(mapping->Append({1, {"sea", "5", "3"}}, &timesteps).ok());
  EXPECT_THAT(timesteps.values, ElementsAre(0.5f, 2));
  EXPECT_FALSE(mapping->IsOfSeries({2, {"lake", "5", "3"}}));
}

TEST(RowMappingTest, AModelThatNeedsTimesNeedsATimeColumn) {
  ModelDescription model = Weather();
  model.needs_times = true;
  EXPECT_THAT(CreateError(model, {"day", "rain", "wind"}), HasSubstr("--time=COLUMN"));
  EXPECT_EQ(CreateError(model, {"day", "rain", "wind"}, "day"), "");
  RowMapping::Options options;
  options.time_is_optional = true;
  absl::StatusOr<RowMapping> mapping = RowMapping::Create(model, {"rain", "wind"}, options);
  Timesteps timesteps;
  ASSERT_TRUE(mapping->Append({1, {"1", "2"}}, &timesteps).ok());
  EXPECT_THAT(timesteps.times, IsEmpty());
}

TEST(RowMappingTest, AnOptionalInputIsZeroWhereItIsMissing) {
  RowMapping::Options options;
  options.optional_inputs = {"rain"};
  absl::StatusOr<RowMapping> mapping = RowMapping::Create(Weather(), {"wind"}, options);
  Timesteps timesteps;
  ASSERT_TRUE(mapping->Append({1, {"2"}}, &timesteps).ok());
  EXPECT_THAT(timesteps.values, ElementsAre(0, 2));
}

TEST(RowMappingTest, ATokenModelTakesTheTokenColumnOrTheOnlyOne) {
  Timesteps timesteps;
  ASSERT_TRUE(RowMapping::Create(Tokens(), {"x", "token"}, {})->Append({1, {"9", "4"}}, &timesteps).ok());
  ASSERT_TRUE(RowMapping::Create(Tokens(), {"x"}, {})->Append({1, {"3"}}, &timesteps).ok());
  EXPECT_THAT(timesteps.values, ElementsAre(4, 3));
  EXPECT_THAT(CreateError(Tokens(), {"x", "y"}), HasSubstr("no column 'token'; its columns are x, y"));
}

TEST(RowMappingTest, ATokenIsAWholeNumberOfTheVocabulary) {
  for (const char* cell : {"5", "-1", "1.5", "one"}) {
    EXPECT_THAT(AppendError(Tokens(), {"token"}, {cell}), HasSubstr("whole number in 0..4")) << cell;
  }
}

TEST(OutputColumnsTest, AreTheOutputsNames) { EXPECT_THAT(OutputColumns(Weather()), ElementsAre("rain")); }

TEST(OutputColumnsTest, ASoftmaxWithoutNamesIsNumbered) {
  EXPECT_THAT(OutputColumns(Tokens()), ElementsAre("p0", "p1", "p2", "p3", "p4"));
}

TEST(OutputColumnsTest, AHorizonSaysHowFarAhead) {
  ModelDescription model = Weather();
  model.outputs = {"rain", "wind"};
  model.horizon = 2;
  model.output_size = 4;
  EXPECT_THAT(OutputColumns(model), ElementsAre("rain+1", "wind+1", "rain+2", "wind+2"));
}

TEST(RowMappingTest, TheSeriesIsTheOneThatWasSaidElseTheRowsElseNone) {
  ModelDescription model = Weather();
  model.inputs = {"rain", "town=bath", "town=ely"};
  model.input_sources = {{"rain", "", 0}, {"town", "bath", 0}, {"town", "ely", 0}};
  model.input_size = 3;
  model.table.series = "town";
  const auto values = [&](const std::vector<std::string>& header, const std::vector<std::string>& cells,
                          const std::string& series) {
    RowMapping::Options options;
    options.series = series;
    absl::StatusOr<RowMapping> mapping = RowMapping::Create(model, header, options);
    EXPECT_TRUE(mapping.ok()) << mapping.status();
    Timesteps timesteps;
    const absl::Status status = mapping->Append({1, cells}, &timesteps);
    EXPECT_TRUE(status.ok()) << status;
    return timesteps.values;
  };
  EXPECT_THAT(values({"rain", "town"}, {"5", "ely"}, ""), ElementsAre(5, 0, 1));
  EXPECT_THAT(values({"rain", "town"}, {"5", "york"}, ""), ElementsAre(5, 0, 0));
  EXPECT_THAT(values({"rain"}, {"5"}, "bath"), ElementsAre(5, 1, 0));
  EXPECT_THAT(values({"rain"}, {"5"}, ""), ElementsAre(5, 0, 0));
}

}  // namespace
}  // namespace rondo
