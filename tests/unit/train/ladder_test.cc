#include "model/train/ladder.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "model/train/random.h"
#include "model/train/training_kernel.h"

namespace rondo::train {
namespace {

TEST(LadderTest, AGainIsTrustedTheMoreTheLargerAndSteadierItIs) {
  const std::vector<double> rule(40, 1.0);
  EXPECT_EQ(TrustInGain({}, {}, 1), 0);
  EXPECT_EQ(TrustInGain(rule, rule, 1), 0);
  EXPECT_EQ(TrustInGain(std::vector<double>(40, 0.0), rule, 1), 1);
  EXPECT_GT(TrustInGain(std::vector<double>(40, 0.5), rule, 1), 0.95);
  EXPECT_LT(TrustInGain(std::vector<double>(40, 0.99), rule, 1), 0.5);
  std::vector<double> unsteady;
  for (int i = 0; i < 40; ++i) unsteady.push_back(i % 2 == 0 ? 0 : 1.9);
  EXPECT_LT(TrustInGain(unsteady, rule, 1), 0.5);
  EXPECT_LT(TrustInGain(std::vector<double>(40, 0.8), rule, 40), 0.4);
  EXPECT_GT(TrustInGain(std::vector<double>(40, 0.05), rule, 40), 0.9);
}

TEST(LadderTest, WhatMayBeChanceIsDrawnToTheNaiveRule) {
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
  const Dataset dataset = Dataset::Create(std::move(set), data_options).value();
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
