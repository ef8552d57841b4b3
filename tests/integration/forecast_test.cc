// Forecast against a real server, over a real connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/integration/services_fixture.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class ForecastTest : public ServicesFixture {
 protected:
  grpc::Status Forecast(const v1::ForecastRequest& request) {
    grpc::ClientContext context;
    forecast_.Clear();
    return server_.inference().Forecast(&context, request, &forecast_);
  }

  v1::ForecastRequest ForecastOf(const std::string& session_id, int horizon) {
    v1::ForecastRequest request;
    request.set_model("lstm");
    request.set_session_id(session_id);
    request.set_horizon(horizon);
    return request;
  }

  v1::ForecastResponse forecast_;
};

TEST_F(ForecastTest, ForecastIsWhatFeedingTheOutputsBackByHandGives) {
  const std::vector<float> values = RandomValues(2 * 6, 1);
  RunSession("by-hand", values);
  std::vector<float> expected, row = ValuesOf(predicted_.results(0));
  row.erase(row.begin(), row.end() - 2);
  for (int k = 0; k < 5; ++k) {
    expected.insert(expected.end(), row.begin(), row.end());
    v1::PredictRequest request;
    request.set_model("lstm");
    AddSequence(&request, "by-hand", row);
    ASSERT_TRUE(server_.Predict(request, &predicted_).ok());
    row = ValuesOf(predicted_.results(0));
  }
  RunSession("s", values);
  ASSERT_TRUE(Forecast(ForecastOf("s", 5)).ok());
  EXPECT_EQ(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), expected);
  EXPECT_EQ(forecast_.position(), 6);

  v1::ForecastRequest from_history = ForecastOf("", 5);
  from_history.mutable_history()->Add(values.begin(), values.end());
  ASSERT_TRUE(Forecast(from_history).ok());
  EXPECT_EQ(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), expected);
}

TEST_F(ForecastTest, ForecastNeverMovesTheSession) {
  RunSession("s", RandomValues(4, 1));
  ASSERT_TRUE(Forecast(ForecastOf("s", 50)).ok());
  const std::vector<float> once(forecast_.values().begin(), forecast_.values().end());
  ASSERT_TRUE(Forecast(ForecastOf("s", 50)).ok());
  EXPECT_EQ(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), once);
  v1::Session session;
  ASSERT_TRUE(Get("s", &session).ok());
  EXPECT_EQ(session.position(), 2);
}

TEST_F(ForecastTest, AForecastOfOneStepIsTheLastPrediction) {
  RunSession("s", RandomValues(2, 1));
  ASSERT_TRUE(Forecast(ForecastOf("s", 1)).ok());
  EXPECT_EQ(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), ValuesOf(predicted_.results(0)));
}

TEST_F(ForecastTest, ForecastRefusesWhatItCannotKnow) {
  v1::Session session;
  v1::CreateSessionRequest create;
  create.set_model("lstm");
  create.set_session_id("new");
  ASSERT_TRUE(Create(create, &session).ok());
  grpc::Status status = Forecast(ForecastOf("new", 3));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("no timestep yet"));

  status = Forecast(ForecastOf("nobody", 3));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  for (const int horizon : {0, -1, 10'001}) {
    status = Forecast(ForecastOf("new", horizon));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << horizon;
  }

  v1::ForecastRequest partial;
  partial.set_model("partial");
  partial.set_horizon(3);
  partial.mutable_history()->Resize(4, 0.5f);
  status = Forecast(partial);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("lacks input 'b'"));
  partial.mutable_known_inputs()->Resize(4, 0.5f);
  partial.set_known_inputs(0, std::nanf(""));  // column a is fed back: whatever stands there is ignored
  EXPECT_TRUE(Forecast(partial).ok());
  partial.set_known_inputs(1, std::nanf(""));
  EXPECT_EQ(Forecast(partial).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  partial.mutable_known_inputs()->RemoveLast();
  EXPECT_EQ(Forecast(partial).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ForecastTest, SampledPathsSpreadAsARandomWalkDoes) {
  v1::ForecastRequest request;
  request.set_model("walk");
  request.add_history(5);
  request.set_horizon(16);
  ASSERT_TRUE(Forecast(request).ok());  // one path, of means: it stays
  const float std = forecast_.values(1);
  for (int step = 0; step < 16; ++step) EXPECT_FLOAT_EQ(forecast_.values(2 * step), 5);

  request.set_num_paths(1000);
  request.set_seed(42);
  ASSERT_TRUE(Forecast(request).ok());
  ASSERT_THAT(forecast_.values(), SizeIs(16 * 3));
  const std::vector<float> quantiles(forecast_.values().begin(), forecast_.values().end());
  for (int step = 0; step < 16; ++step) {
    const float spread = 1.2816f * std * std::sqrt(static_cast<float>(step + 1));  // the 0.9 quantile of a normal
    EXPECT_NEAR(quantiles[static_cast<size_t>(3 * step)], 5 - spread, 0.25f * spread) << step;
    EXPECT_NEAR(quantiles[static_cast<size_t>(3 * step + 1)], 5, 0.2f * spread) << step;
    EXPECT_NEAR(quantiles[static_cast<size_t>(3 * step + 2)], 5 + spread, 0.25f * spread) << step;
  }
  ASSERT_TRUE(Forecast(request).ok());
  EXPECT_EQ(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), quantiles);
  request.set_seed(43);
  ASSERT_TRUE(Forecast(request).ok());
  EXPECT_NE(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), quantiles);
}

TEST_F(ForecastTest, PathsAreRefusedWhereTheyMakeNoSense) {
  v1::ForecastRequest request;
  request.set_model("walk");
  request.add_history(5);
  request.set_horizon(4);
  for (const int paths : {-1, 1, 1001}) {
    request.set_num_paths(paths);
    EXPECT_EQ(Forecast(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << paths;
  }
  request.set_num_paths(10);
  for (const double quantile : {0.0, 1.0, -0.5, std::nan("")}) {
    request.clear_path_quantiles();
    request.add_path_quantiles(quantile);
    EXPECT_EQ(Forecast(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << quantile;
  }
  RunSession("linear", RandomValues(2, 1));
  v1::ForecastRequest linear = ForecastOf("linear", 3);
  linear.set_num_paths(10);
  const grpc::Status status = Forecast(linear);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("only a gaussian one"));
}

TEST_F(ForecastTest, PathsThatDoNotFitTheQueueAreRefusedTogether) {
  TestServer small({{"walk", RandomWalk()}}, [](ServerOptions* options) {
    options->loops.active_set.max_active = 4;
    options->loops.active_set.max_queued = 4;
  });
  v1::ForecastRequest request;
  request.set_model("walk");
  request.add_history(5);
  request.set_horizon(4);
  request.set_num_paths(9);
  grpc::ClientContext refused, fits;
  EXPECT_EQ(small.inference().Forecast(&refused, request, &forecast_).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  request.set_num_paths(8);
  EXPECT_TRUE(small.inference().Forecast(&fits, request, &forecast_).ok());
}

}  // namespace
}  // namespace rondo
