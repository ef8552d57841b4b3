#include "model/train/dataset.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Columns x = 0, 1, 4, 9 ... and y = 1, 3, 7, 13 ...
SeriesSet Squares(int64_t timesteps) {
  SeriesSet set;
  set.columns = {"x", "y"};
  Series series;
  series.timesteps = timesteps;
  for (int64_t t = 0; t < timesteps; ++t) {
    series.values.push_back(t * t);
    series.values.push_back(t * t + t + 1);
  }
  set.series.push_back(series);
  return set;
}

DatasetOptions Options(int64_t horizon = 1) {
  DatasetOptions options;
  options.inputs = {"x"};
  options.targets = {"x", "y"};
  options.horizon = horizon;
  options.validation = 0.2;
  options.test = 0.2;
  return options;
}

TEST(DatasetTest, TargetsOfAPartLieInThatPart) {
  const auto dataset = Dataset::Create(Squares(100), Options(3));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const Segment training = dataset->segments(Dataset::kTraining)[0], test = dataset->segments(Dataset::kTest)[0];
  EXPECT_EQ(training.begin, 0);
  EXPECT_EQ(training.end + 2, 59);  // the last target of the last timestep is the last training row
  EXPECT_EQ(test.begin + 1, 80);    // the first target of the first timestep is the first test row
  EXPECT_EQ(test.end + 2, 99);
}

TEST(DatasetTest, StatisticsKnowTheTrainingPartAlone) {
  SeriesSet changed = Squares(100);
  for (int64_t t = 60; t < 100; ++t) changed.series[0].values[2 * t] = 1e6;
  const auto before = Dataset::Create(Squares(100), Options()), after = Dataset::Create(changed, Options());
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(before->spec().inputs[0].mean, after->spec().inputs[0].mean);
  EXPECT_EQ(before->spec().inputs[0].std, after->spec().inputs[0].std);
  EXPECT_EQ(before->spec().outputs[0].mean, after->spec().outputs[0].mean);
}

TEST(DatasetTest, ATargetThatIsAnInputIsPredictedAsItsChange) {
  const auto dataset = Dataset::Create(Squares(100), Options());
  ASSERT_TRUE(dataset.ok());
  EXPECT_EQ(dataset->spec().outputs[0].added_to, "x");
  EXPECT_EQ(dataset->spec().outputs[1].added_to, "");
  ASSERT_EQ(dataset->spec().feedback.size(), 1u);
  EXPECT_EQ(dataset->spec().feedback[0].input, "x");
  EXPECT_NEAR(dataset->spec().outputs[0].mean, 59, 1);  // mean of 2t + 1 for t below 59
}

TEST(DatasetTest, AWindowBringsStandardisedRowsAndMasksTheRest) {
  const auto dataset = Dataset::Create(Squares(100), Options());
  ASSERT_TRUE(dataset.ok());
  const Window windows[] = {{0, 10, 11, 13, true}, {}};
  Batch batch;
  dataset->Fill(windows, 4, &batch);
  EXPECT_THAT(batch.mask, ElementsAre(0, 0, 1, 0, 1, 0, 0, 0));
  const InputFeature& input = dataset->spec().inputs[0];
  const OutputFeature& output = dataset->spec().outputs[0];
  EXPECT_NEAR(batch.features[2], (121 - input.mean) / input.std, 1e-5);
  EXPECT_NEAR(batch.targets[4], (23 - output.mean) / output.std, 1e-5);  // 12^2 - 11^2
  EXPECT_EQ(batch.features[1], 0);
}

TEST(DatasetTest, AConstantColumnOrAPartWithoutTargetsIsRefused) {
  SeriesSet constant = Squares(100);
  for (int64_t t = 0; t < 100; ++t) constant.series[0].values[2 * t] = 7;
  EXPECT_THAT(std::string(Dataset::Create(constant, Options()).status().message()), HasSubstr("'x' is always 7"));
  EXPECT_THAT(std::string(Dataset::Create(Squares(1), Options()).status().message()), HasSubstr("rows is enough"));
  EXPECT_THAT(std::string(Dataset::Create(Squares(20), Options(10)).status().message()), HasSubstr("rows is enough"));
}

TEST(DatasetTest, AnInputThatNeverVariesIsLeftOutAndSaid) {
  SeriesSet set = Squares(100);
  for (int64_t t = 0; t < 100; ++t) set.series[0].values[2 * t] = 7;
  DatasetOptions options = Options();
  options.inputs = {"x", "y"};
  options.targets = {"y"};
  const auto dataset = Dataset::Create(set, options);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  ASSERT_EQ(dataset->spec().inputs.size(), 1u);
  EXPECT_EQ(dataset->spec().inputs[0].name, "y");
  EXPECT_EQ(dataset->value(0, 5, 0), 31);
  EXPECT_THAT(dataset->set().notes, ElementsAre(HasSubstr("'x' is always 7")));
}

TEST(DatasetTest, WhatTheFileHasNoValueForIsNeitherTargetNorBase) {
  SeriesSet set = Squares(100);
  set.series[0].present.assign(200, 1);
  set.series[0].present[2 * 12] = 0;  // x of timestep 12
  const auto dataset = Dataset::Create(set, Options());
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const Window windows[] = {{0, 10, 10, 14, true}};
  Batch batch;
  dataset->Fill(windows, 4, &batch);
  const auto is_missing = [&](int64_t row, int64_t target) { return std::isnan(batch.targets[2 * row + target]); };
  EXPECT_FALSE(is_missing(0, 0));
  EXPECT_TRUE(is_missing(1, 0));  // its target is missing
  EXPECT_TRUE(is_missing(2, 0));  // it would be a change from what was filled in
  EXPECT_FALSE(is_missing(3, 0));
  EXPECT_FALSE(is_missing(1, 1));
  EXPECT_THAT(batch.mask, ElementsAre(1, 1, 1, 1));
  float gradient[8];
  const float predictions[8] = {};
  Loss loss;
  double all = 0;
  for (const float target : batch.targets) all += std::isnan(target) ? 0 : target * target;
  EXPECT_NEAR(MeanLoss(loss, predictions, batch.targets, batch.mask, gradient), all / 6, 1e-6);
  EXPECT_EQ(gradient[2], 0);
}

TEST(DatasetTest, AValidationPartOfTooFewRowsBeginsEarlier) {
  DatasetOptions options = Options(3);
  options.validation = 0.15;
  options.test = 0.25;
  const auto dataset = Dataset::Create(Squares(36), options);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->timesteps(Dataset::kValidation), 4);
  EXPECT_EQ(dataset->segments(Dataset::kTest)[0].begin + 1, 27);  // where it always begins
  EXPECT_EQ(dataset->segments(Dataset::kTraining)[0].end + 2, dataset->segments(Dataset::kValidation)[0].begin);
  EXPECT_THAT(dataset->set().notes, ElementsAre(HasSubstr("the validation part begins earlier")));
  options.horizon = 1;
  EXPECT_TRUE(Dataset::Create(Squares(22), options).ok());  // as many as the refusal says
  EXPECT_THAT(std::string(Dataset::Create(Squares(15), options).status().message()), HasSubstr("22 rows is enough"));
}

TEST(DatasetTest, TheCalendarHasWhatIsSeenTwice) {
  const auto calendar_of = [](int64_t hours) {
    SeriesSet set = Squares(hours);
    set.format.step = {CalendarStep::Unit::kMicrosecond, int64_t{3600} * 1000000};
    for (int64_t t = 0; t < hours; ++t) set.series[0].times.push_back(t * 3600 * int64_t{1000000});
    return Dataset::Create(std::move(set), Options()).value().spec().calendar;
  };
  EXPECT_THAT(calendar_of(60 * 24), ElementsAre(Calendar::kHour, Calendar::kWeekday));
  EXPECT_THAT(calendar_of(15 * 24), ElementsAre(Calendar::kHour));
  EXPECT_THAT(calendar_of(40), ElementsAre());
  EXPECT_THAT(calendar_of(3 * 366 * 24), ElementsAre(Calendar::kHour, Calendar::kWeekday, Calendar::kDayOfYear));
}

TEST(DatasetTest, OfSeveralSeriesThoseThatAreToldWellCountMore) {
  SeriesSet set;
  set.columns = {"x"};
  for (const float change : {0.1f, 1.0f}) {
    Series series;
    series.timesteps = 100;
    for (int64_t t = 0; t < 100; ++t) series.values.push_back(static_cast<float>(t % 2) * change);
    set.series.push_back(series);
  }
  DatasetOptions options;
  options.inputs = options.targets = {"x"};
  const Dataset dataset = Dataset::Create(std::move(set), options).value();
  EXPECT_NEAR(dataset.weight(0) / dataset.weight(1), 10, 0.01);
  EXPECT_EQ(Dataset::Create(Squares(100), Options()).value().weight(0), 1);
}

TEST(WindowsTest, AnEpochCoversEveryTimestepOfEveryPart) {
  const Segment parts[] = {{0, 0, 0, 100}, {1, 5, 5, 9}, {2, 0, 0, 64}};
  for (uint64_t seed = 1; seed < 50; ++seed) {
    std::vector<std::vector<int>> seen = {std::vector<int>(100), std::vector<int>(9), std::vector<int>(64)};
    for (const Segment& window : ShuffledWindows(parts, 16, seed)) {
      ASSERT_LE(window.timesteps(), 16);
      ASSERT_GT(window.timesteps(), 0);
      for (int64_t t = window.begin; t < window.end; ++t) ++seen[window.series][t];
    }
    for (const Segment& part : parts) {
      for (int64_t t = part.begin; t < part.end; ++t) ASSERT_GE(seen[part.series][t], 1) << "seed " << seed;
    }
  }
}

TEST(WindowsTest, ALaneReadsItsSegmentToTheEndBeforeTheNext) {
  const Segment segments[] = {{0, 0, 0, 25}, {1, 0, 3, 5}, {2, 0, 0, 10}};
  const Pass pass = PlanPass(segments, 10, 2);
  ASSERT_EQ(pass.size(), 3u);
  EXPECT_TRUE(pass[0][0].fresh);
  EXPECT_FALSE(pass[1][0].fresh);
  EXPECT_EQ(pass[2][0].begin, 20);
  EXPECT_EQ(pass[2][0].end, 25);
  EXPECT_EQ(pass[0][1].scored_begin, 3);
  EXPECT_EQ(pass[1][1].series, 2u);
  EXPECT_TRUE(pass[1][1].fresh);
  EXPECT_EQ(pass[2][1].begin, pass[2][1].end);
}

TEST(WindowsTest, ScoredPiecesScoreEachTimestepOnceAfterAWarmUp) {
  const Segment parts[] = {{0, 50, 50, 150}};
  int64_t next = 50;
  for (const Segment& piece : ScoredPieces(parts, 8, 4)) {
    EXPECT_EQ(piece.scored_begin, next);
    EXPECT_EQ(piece.begin, next - 8);
    next = piece.end;
  }
  EXPECT_EQ(next, 150);
}

}  // namespace
}  // namespace rondo::train
