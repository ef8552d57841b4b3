#include "server/serve/forecast_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "model/compute_thread.h"
#include "server/serve/check_sequence.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Inputs a, b and the hour; output b is fed back into input a. One day a step.
Model MakeModel(double step_seconds, int64_t tokens = 0) {
  ModelSpec spec;
  spec.cell = Cell::kRnn;
  spec.num_layers = spec.hidden_size = 1;
  if (tokens > 0) {
    spec.tokens = tokens;
    spec.embedding_size = 4;
  } else {
    spec.inputs = {{"a", 0, 1}, {"b", 0, 1}};
    spec.calendar = {Calendar::kHour};
    spec.feedback = {{"v", "a"}};
  }
  spec.outputs = {{"u", 0, 1, ""}, {"v", 0, 1, ""}};
  spec.step_seconds = step_seconds;
  Weights weights;
  weights.layers.push_back({{1, 1, 1, 1}, {1}, {0}, {0}});
  weights.embedding.assign(static_cast<size_t>(tokens * 4), 0.5f);
  weights.head_weight = {1, 1};
  weights.head_bias = {0, 0};
  PrepareComputeThread();
  absl::StatusOr<std::unique_ptr<Network>> network = Network::Create(spec, weights, {});
  EXPECT_TRUE(network.ok()) << network.status();
  return Model{"m", 1, 0, *std::move(network)};
}

v1::ForecastRequest RequestOf(int horizon, const std::vector<float>& known_inputs) {
  v1::ForecastRequest request;
  request.set_horizon(horizon);
  request.mutable_known_inputs()->Add(known_inputs.begin(), known_inputs.end());
  return request;
}

TEST(ForecastPlanTest, OutputsAreFedBackIntoTheInputsOfTheirLinks) {
  const Model model = MakeModel(86400);
  absl::StatusOr<ForecastPlan> plan = ForecastPlan::Make(RequestOf(3, {-1, 10, -1, 20}), model, 1000);
  ASSERT_TRUE(plan.ok()) << plan.status();
  plan->FeedBack({5, 6}, 0);
  plan->FeedBack({7, 8}, 1);
  EXPECT_THAT(plan->inputs(), ElementsAre(6, 10, 8, 20));
  EXPECT_THAT(plan->times(), ElementsAre(1000 + 86400, 1000 + 2 * 86400));
}

TEST(ForecastPlanTest, HistoryComesBeforeThePredictedSteps) {
  const Model model = MakeModel(60);
  v1::ForecastRequest request = RequestOf(2, {0, 9});
  request.mutable_history()->Add(1);
  request.mutable_history()->Add(2);
  request.add_history_times(500);
  absl::StatusOr<ForecastPlan> plan = ForecastPlan::Make(request, model, std::nullopt);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->history_timesteps(), 1u);
  EXPECT_THAT(plan->inputs(), ElementsAre(1, 2, 0, 9));
  EXPECT_THAT(plan->times(), ElementsAre(500, 560));
}

TEST(ForecastPlanTest, AHorizonOfOneNeedsNothing) {
  const Model model = MakeModel(0);
  absl::StatusOr<ForecastPlan> plan = ForecastPlan::Make(RequestOf(1, {}), model, std::nullopt);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->timesteps(), 0u);
  EXPECT_THAT(plan->inputs(), IsEmpty());
}

TEST(ForecastPlanTest, MissingTimesAreNamed) {
  const Model unknown_step = MakeModel(0);
  EXPECT_THAT(std::string(ForecastPlan::Make(RequestOf(2, {0, 1}), unknown_step, 1000).status().message()),
              HasSubstr("lacks times"));
  const Model daily = MakeModel(86400);
  EXPECT_EQ(ForecastPlan::Make(RequestOf(2, {0, 1}), daily, std::nullopt).status().code(),
            absl::StatusCode::kFailedPrecondition);
  v1::ForecastRequest wrong = RequestOf(2, {0, 1});
  wrong.add_known_times(1);
  wrong.add_known_times(2);
  EXPECT_EQ(ForecastPlan::Make(wrong, daily, 1000).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(CheckTimestepsTest, TokensAreWholeNumbersOfTheVocabulary) {
  const Model model = MakeModel(0, /*tokens=*/5);
  EXPECT_TRUE(CheckTimesteps({0, 4}, {}, model, 10).ok());
  for (const float bad : {-1.0f, 5.0f, 0.5f, -0.5f, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_EQ(CheckTimesteps({bad}, {}, model, 10).code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_THAT(std::string(CheckTimesteps({5}, {}, model, 10).message()),
              HasSubstr("wanted a whole number from 0 to 4"));
}

TEST(CheckTimestepsTest, CalendarModelsNeedOneTimeATimestepInTheYears1To9999) {
  const Model model = MakeModel(60);
  EXPECT_TRUE(CheckTimesteps({1, 2}, {0}, model, 10).ok());
  EXPECT_THAT(std::string(CheckTimesteps({1, 2}, {}, model, 10).message()), HasSubstr("times has 0 entries"));
  for (const int64_t bad : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(CheckTimesteps({1, 2}, {bad}, model, 10).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(FingerprintTest, DiffersInEverythingThatDecidesTheReply) {
  const uint64_t base = FingerprintOf({1, 2, 3}, {4}, false);
  EXPECT_EQ(base, FingerprintOf({1, 2, 3}, {4}, false));
  for (const uint64_t other : {FingerprintOf({1, 2, 4}, {4}, false), FingerprintOf({1, 3, 2}, {4}, false),
                               FingerprintOf({1, 2, 3}, {5}, false), FingerprintOf({1, 2, 3}, {}, false),
                               FingerprintOf({1, 2, 3}, {4}, true), FingerprintOf({1, 2}, {4}, false)}) {
    EXPECT_NE(base, other);
  }
}

}  // namespace
}  // namespace rondo
