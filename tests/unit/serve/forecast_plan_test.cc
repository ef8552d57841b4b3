#include "server/serve/forecast_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/unit/serve/calendar_model.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ForecastView RequestOf(int64_t horizon, absl::Span<const float> known_inputs) {
  ForecastView request;
  request.horizon = horizon;
  request.known_inputs = known_inputs;
  return request;
}

TEST(ForecastPlanTest, OutputsAreFedBackIntoTheInputsOfTheirLinks) {
  const Model model = CalendarModel(86400);
  absl::StatusOr<ForecastPlan> plan = ForecastPlan::Make(RequestOf(3, {-1, 10, -1, 20}), model, 1000);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->horizon(), 3u);
  std::vector<float> row(2);
  plan->WriteInputs(0, {5, 6}, row.data());
  EXPECT_THAT(row, ElementsAre(6, 10));
  plan->WriteInputs(1, {7, 8}, row.data());
  EXPECT_THAT(row, ElementsAre(8, 20));
  plan->WriteInputs(1, {}, row.data());
  EXPECT_THAT(row, ElementsAre(-1, 20));
  EXPECT_THAT(plan->times(), ElementsAre(1000 + 86400, 1000 + 2 * 86400));
}

TEST(ForecastPlanTest, HistoryComesBeforeThePredictedSteps) {
  const Model model = CalendarModel(60);
  const float known[] = {0, 9};
  const float history[] = {1, 2};
  const int64_t history_times[] = {500};
  ForecastView request = RequestOf(2, known);
  request.history = history;
  request.history_times = history_times;
  absl::StatusOr<ForecastPlan> plan = ForecastPlan::Make(request, model, std::nullopt);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->history_timesteps(), 1u);
  EXPECT_THAT(plan->inputs(), ElementsAre(1, 2, 0, 9));
  EXPECT_THAT(plan->times(), ElementsAre(500, 560));
}

TEST(ForecastPlanTest, AHorizonOfOneNeedsNothing) {
  const Model model = CalendarModel(0);
  absl::StatusOr<ForecastPlan> plan = ForecastPlan::Make(RequestOf(1, {}), model, std::nullopt);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->timesteps(), 0u);
  EXPECT_THAT(plan->inputs(), IsEmpty());
}

TEST(ForecastPlanTest, MissingTimesAreNamed) {
  const Model unknown_step = CalendarModel(0);
  EXPECT_THAT(std::string(ForecastPlan::Make(RequestOf(2, {0, 1}), unknown_step, 1000).status().message()),
              HasSubstr("lacks times"));
  const Model daily = CalendarModel(86400);
  EXPECT_EQ(ForecastPlan::Make(RequestOf(2, {0, 1}), daily, std::nullopt).status().code(),
            absl::StatusCode::kFailedPrecondition);
  const float known[] = {0, 1};
  const int64_t known_times[] = {1, 2};
  ForecastView wrong = RequestOf(2, known);
  wrong.known_times = known_times;
  EXPECT_EQ(ForecastPlan::Make(wrong, daily, 1000).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ForecastPlanTest, KnownTimesBeyondTheYear9999AreRefused) {
  const Model daily = CalendarModel(86400);
  const float known[] = {0, 1};
  for (const int64_t time : {INT64_MAX, INT64_MIN, int64_t{253'402'300'800}}) {
    ForecastView request = RequestOf(2, known);
    request.known_times = {&time, 1};
    const absl::Status status = ForecastPlan::Make(request, daily, 1000).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << time;
    EXPECT_THAT(std::string(status.message()), HasSubstr("wanted unix seconds in the years 1 to 9999"));
  }
}

}  // namespace
}  // namespace rondo
