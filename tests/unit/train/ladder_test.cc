#include "model/train/ladder.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "model/train/random.h"
#include "model/train/training_kernel.h"

namespace rondo::train {
namespace {

Dataset RandomWalk() {
  SeriesSet set;
  set.columns = {"x"};
  Series series;
  series.timesteps = 60;
  Random random(5);
  double value = 100;
  for (int64_t t = 0; t < series.timesteps; ++t) {
    value += random.Normal();
    series.values.push_back(static_cast<float>(value));
  }
  set.series.push_back(series);
  DatasetOptions data_options;
  data_options.inputs = data_options.targets = {"x"};
  data_options.horizon = 6;
  return Dataset::Create(std::move(set), data_options).value();
}

TEST(LadderTest, ARuleThatReachesBackToTheFirstValueHasItsOwnError) {
  const Dataset dataset = RandomWalk();
  PrepareTrainingThread(1);
  const int64_t season = dataset.segments(Dataset::kValidation)[0].begin + 1;
  Ladder ladder(dataset, season);
  ASSERT_TRUE(ladder.AddLinear({}, nullptr).ok());
  const auto rule = std::find_if(ladder.rungs().begin(), ladder.rungs().end(), [](const Rung& rung) {
    return rung.name.find("timesteps before") != std::string::npos;
  });
  ASSERT_NE(rule, ladder.rungs().end());
  EXPECT_GT(rule->validation_error, 0);
}

TEST(LadderTest, WhatMayBeChanceIsDrawnToTheNaiveRule) {
  const Dataset dataset = RandomWalk();
  PrepareTrainingThread(1);
  Ladder ladder(dataset, /*season=*/0);
  ASSERT_TRUE(ladder.AddLinear({}, nullptr).ok());
  ASSERT_TRUE(ladder.AddMean().ok());
  ASSERT_TRUE(ladder.AddDrawn().ok());
  ladder.Choose();
  const auto chosen =
      std::find_if(ladder.rungs().begin(), ladder.rungs().end(), [](const Rung& rung) { return rung.chosen; });
  ASSERT_NE(chosen, ladder.rungs().end());
  EXPECT_NE(chosen->name.find("the value now"), std::string::npos) << chosen->name;
}

}  // namespace
}  // namespace rondo::train
