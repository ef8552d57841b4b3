#include "server/serve/forecast.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/unit/serve/serve_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ForecastTest : public ServeFixture, public MessageOwner {
 protected:
  explicit ForecastTest(const ActiveSet::Options& queue = {}) : ServeFixture(queue) {
    request_.model = "sum";
    request_.session_id = "s";
    request_.horizon = 3;
  }

  void OnMessageDone() override { ++done_; }
  // Runs request_ to its end.
  absl::Status RunForecast(absl::Time deadline = absl::InfiniteFuture()) {
    forecast_.emplace(&context_, this);
    forecast_->Start(request_, now_, deadline);
    RunUntilIdle();
    EXPECT_EQ(done_, 1);
    EXPECT_EQ(in_flight(), 0);
    done_ = 0;
    return forecast_->status();
  }
  void ExpectInvalid(absl::string_view text) {
    const absl::Status status = RunForecast();
    ExpectRefused(status, Why::kInvalid, "invalid", absl::StatusCode::kInvalidArgument, 0);
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(text)));
  }

  ForecastView request_;
  std::optional<Forecast> forecast_;
  int done_ = 0;
};

TEST_F(ForecastTest, GoesOnFromASessionThatItDoesNotMove) {
  Run(Of("s", 0, three_steps_));
  ASSERT_TRUE(RunForecast().ok());
  EXPECT_THAT(forecast_->values(), ElementsAre(6, 12, 24));
  EXPECT_EQ(forecast_->position(), 3);
  EXPECT_EQ(sessions_.Get("s", now_)->position, 3);
  Run(Of("s", 3, one_));
  EXPECT_THAT(last_values_, ElementsAre(7));
}

TEST_F(ForecastTest, RunsAHistoryFirst) {
  request_.session_id = "";
  request_.history = three_steps_;
  ASSERT_TRUE(RunForecast().ok());
  EXPECT_THAT(forecast_->values(), ElementsAre(6, 12, 24));
  EXPECT_EQ(forecast_->position(), 3);
}

TEST_F(ForecastTest, SampledPathsAreAnsweredAsQuantiles) {
  request_.session_id = "";
  request_.history = three_steps_;
  request_.model = "gaussian";
  request_.num_paths = 50;
  request_.seed = 7;
  ASSERT_TRUE(RunForecast().ok());
  ASSERT_THAT(forecast_->values(), SizeIs(9));  // three usual quantiles a row
  const std::vector<float> first(forecast_->values().begin(), forecast_->values().end());
  for (size_t row = 0; row < 9; row += 3) {
    EXPECT_LT(first[row], first[row + 1]);
    EXPECT_LT(first[row + 1], first[row + 2]);
  }
  ASSERT_TRUE(RunForecast().ok());
  EXPECT_EQ(std::vector<float>(forecast_->values().begin(), forecast_->values().end()), first);
  const double half[] = {0.5};
  request_.path_quantiles = half;
  ASSERT_TRUE(RunForecast().ok());
  EXPECT_THAT(forecast_->values(), ElementsAre(first[1], first[4], first[7]));
}

TEST_F(ForecastTest, WaitsForASessionThatIsBusy) {
  TestExchange exchange;
  Message message(&context_, Method::kStreamPredict, &exchange);
  Start({Of("s", 0, three_steps_)}, &message, &exchange);
  forecast_.emplace(&context_, this);
  forecast_->Start(request_, now_, absl::InfiniteFuture());
  engine_.RunBatch();
  EXPECT_EQ(done_, 0);
  RunUntilIdle();
  EXPECT_EQ(done_, 1);
  EXPECT_THAT(forecast_->values(), ElementsAre(6, 12, 24));
}

TEST_F(ForecastTest, CancelledWhileItWaitsItLeavesTheQueue) {
  SessionLease held = Hold("s");
  forecast_.emplace(&context_, this);
  forecast_->Start(request_, now_, absl::InfiniteFuture());
  forecast_->Cancel();
  EXPECT_EQ(done_, 1);
  ExpectRefused(forecast_->status(), Why::kCancelled, "cancelled", absl::StatusCode::kCancelled, 0);
  forecast_->Cancel();  // it is over
  EXPECT_EQ(done_, 1);
  EXPECT_EQ(in_flight(), 0);
}

TEST_F(ForecastTest, CancelledAsItGetsTheSessionItRunsNothing) {
  Run(Of("s", 0, one_));
  SessionLease held = Hold("s");
  forecast_.emplace(&context_, this);
  forecast_->Start(request_, now_, absl::InfiniteFuture());
  held = SessionLease();  // the lease is on its way
  forecast_->Cancel();
  EXPECT_EQ(done_, 0);
  RunUntilIdle();
  EXPECT_EQ(done_, 1);
  ExpectRefused(forecast_->status(), Why::kCancelled, "cancelled", absl::StatusCode::kCancelled, 0);
}

TEST_F(ForecastTest, CancelledWhileItRunsItEndsSoon) {
  Run(Of("s", 0, one_));
  forecast_.emplace(&context_, this);
  forecast_->Start(request_, now_, absl::InfiniteFuture());
  engine_.RunBatch();
  forecast_->Cancel();
  RunUntilIdle();
  EXPECT_EQ(done_, 1);
  ExpectRefused(forecast_->status(), Why::kCancelled, "cancelled", absl::StatusCode::kCancelled, 0);
}

TEST_F(ForecastTest, WhatComesWhileTheServerDrainsIsRefused) {
  draining_ = true;
  ExpectRefused(RunForecast(), Why::kDraining, "draining", absl::StatusCode::kUnavailable, 0);
}

TEST_F(ForecastTest, ASessionOrModelThatIsNotThereIsNotFound) {
  ExpectRefused(RunForecast(), Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0, 0);
  request_.model = "some";
  ExpectRefused(RunForecast(), Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0);
}

TEST_F(ForecastTest, TheSessionIsOneOfTheModelAndHasATimestep) {
  ASSERT_TRUE(sessions_.Create("s", *registry_->Find("sum", 0), std::nullopt, now_).ok());
  const absl::Status empty = RunForecast();
  ExpectRefused(empty, Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0);
  EXPECT_THAT(std::string(empty.message()), HasSubstr("has no timestep yet"));
  Run(Of("s", 0, one_));
  request_.version = 1;
  ExpectRefused(RunForecast(), Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0);
  request_.version = 0;
  request_.model = "other";
  ExpectRefused(RunForecast(), Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0);
}

TEST_F(ForecastTest, WhatItAsksForIsChecked) {
  for (const int64_t horizon : {int64_t{0}, int64_t{-1}, int64_t{10'001}}) {
    request_.horizon = horizon;
    ExpectInvalid("wanted 1 to 10000");
  }
  request_.horizon = 3;
  request_.history = three_steps_;
  ExpectInvalid("both session_id and history are given");
  request_.session_id = "";
  request_.history = {};
  ExpectInvalid("values has 0 floats");
  request_.history = three_steps_;
  request_.known_inputs = one_;
  ExpectInvalid("known_inputs has 1 floats; horizon 3 takes 2 timesteps");
  request_.known_inputs = {};
  request_.num_paths = 1;
  ExpectInvalid("num_paths is 1");
}

TEST_F(ForecastTest, OneThatExpiresIsNotRun) {
  Run(Of("s", 0, one_));
  ExpectRefused(RunForecast(now_ - absl::Seconds(1)), Why::kDeadline, "deadline", absl::StatusCode::kDeadlineExceeded,
                0);
}

class CrowdedForecastTest : public ForecastTest {
 protected:
  CrowdedForecastTest() : ForecastTest({2, 0}) {}
};

TEST_F(CrowdedForecastTest, PathsThatTheLoopHasNoRoomForRefuseTheWhole) {
  request_.session_id = "";
  request_.history = three_steps_;
  request_.model = "gaussian";
  request_.num_paths = 3;
  ExpectRefused(RunForecast(), Why::kQueueFull, "queue_full", absl::StatusCode::kResourceExhausted, 100);
  request_.num_paths = 2;
  EXPECT_TRUE(RunForecast().ok());
}

}  // namespace
}  // namespace rondo
