#include "model/train/ladder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "model/train/model_assembly.h"
#include "model/train/random.h"
#include "model/train/training_kernel.h"

namespace rondo::train {
namespace {

Dataset RandomWalk(int64_t timesteps = 60, int64_t horizon = 6) {
  SeriesSet set;
  set.columns = {"x"};
  Series series;
  series.timesteps = timesteps;
  Random random(5);
  double value = 100;
  for (int64_t t = 0; t < series.timesteps; ++t) {
    value += random.Normal();
    series.values.push_back(static_cast<float>(value));
  }
  set.series.push_back(series);
  DatasetOptions data_options;
  data_options.inputs = data_options.targets = {"x"};
  data_options.horizon = horizon;
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
  ASSERT_TRUE(ladder.AddMeans().ok());
  ASSERT_TRUE(ladder.AddDrawn().ok());
  ladder.Choose();
  const auto chosen =
      std::find_if(ladder.rungs().begin(), ladder.rungs().end(), [](const Rung& rung) { return rung.chosen; });
  ASSERT_NE(chosen, ladder.rungs().end());
  EXPECT_NE(chosen->name.find("the value now"), std::string::npos) << chosen->name;
}

// A gru that has learned nothing: it repeats the value now.
ModelFile NewGru(const Dataset& dataset) {
  NetworkShape network;
  network.cell = Cell::kGru;
  network.hidden_size = 4;
  const ModelSpec spec = SpecOf(dataset, network, {});
  const NetworkShape shape = ShapeOf(spec);
  return {spec, WeightsFromParameters(shape, FirstParameters({}, shape))};
}

TEST(LadderTest, AMeanWithARecurrentNetworkMustBeClearlyBetter) {
  const Dataset dataset = RandomWalk(1050, 16);
  PrepareTrainingThread(1);
  Ladder ladder(dataset, /*season=*/0);
  TrainOptions options;
  options.window_inputs = 120;
  ASSERT_TRUE(ladder.AddLinear(options, nullptr).ok());
  ModelFile gru = NewGru(dataset);
  const Weights weights = gru.weights;
  ASSERT_TRUE(ladder.AddRecurrent("gru", 1, weights, std::move(gru)).ok());
  ASSERT_TRUE(ladder.AddMeans().ok());
  ladder.Choose();
  const auto find = [&](absl::string_view text) {
    return std::find_if(ladder.rungs().begin(), ladder.rungs().end(),
                        [=](const Rung& rung) { return rung.name.find(std::string(text)) != std::string::npos; });
  };
  const auto linear = find("best linear networks"), all = find("best networks");
  ASSERT_NE(linear, ladder.rungs().end());
  ASSERT_NE(all, ladder.rungs().end());
  EXPECT_LT(all->validation_error, linear->validation_error);  // it errs a little less, as by chance
  EXPECT_FALSE(all->chosen);
}

}  // namespace
}  // namespace rondo::train
