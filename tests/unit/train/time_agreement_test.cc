// The trainer and the command line read one time text as one instant: what a model learns from a table is what it gets
// when the table is served.
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/csv_reader.h"
#include "client/cli/row_mapping.h"
#include "gtest/gtest.h"
#include "model/train/series.h"
#include "tests/unit/base/time_texts.h"

namespace rondo {
namespace {

std::string TableOf(const TimeCase& c) { return absl::StrCat("t,x\n\"", c.text, "\",1\n"); }

int64_t TimeInTheTrainer(const std::string& table) {
  train::SeriesOptions options;
  options.columns = {"x"};
  options.format.time_column = "t";
  const auto series = train::MakeSeries(*train::ParseCsv(table), options);
  return series.ok() ? train::UnixSeconds(series->series[0].times[0]) : kRefused;
}

int64_t TimeInTheClient(const std::string& table) {
  CsvReader reader;
  EXPECT_TRUE(reader.Feed(table).ok());
  ModelDescription model;
  model.inputs = {"x"};
  model.needs_times = true;
  RowMapping::Options options;
  options.time_column = "t";
  auto mapping = RowMapping::Create(model, *reader.TakeRow(), options);
  Timesteps timesteps;
  return mapping->Append({1, *reader.TakeRow()}, &timesteps).ok() ? timesteps.times[0] : kRefused;
}

class TimeAgreementTest : public ::testing::TestWithParam<TimeCase> {};

TEST_P(TimeAgreementTest, TrainerAndClientReadWhatTheTableSays) {
  const std::string table = TableOf(GetParam());
  EXPECT_EQ(TimeInTheTrainer(table), GetParam().unix_seconds);
  EXPECT_EQ(TimeInTheClient(table), GetParam().unix_seconds);
}

INSTANTIATE_TEST_SUITE_P(EachText, TimeAgreementTest, ::testing::ValuesIn(kTimeCases));

}  // namespace
}  // namespace rondo
