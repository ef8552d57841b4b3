// A live stream beside clients that ask for much at once, against a real server over real connections.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/integration/test_server.h"

namespace rondo {
namespace {

ModelFile Gaussian() {
  ModelFile model = MakeTestModel(Cell::kRnn, 1, 8);
  model.spec.head = Head::kGaussian;
  const std::vector<float> means = model.weights.head_weight;
  model.weights.head_weight.insert(model.weights.head_weight.end(), means.begin(), means.end());
  model.weights.head_bias.push_back(0);
  return model;
}

class FairnessTest : public ::testing::Test {
 protected:
  using Stream = std::unique_ptr<grpc::ClientReaderWriter<v1::PredictRequest, v1::PredictResponse>>;

  // Steps a session `count` times, each after the answer to the one before.
  void StepLive(int count) {
    grpc::ClientContext context;
    const std::unique_ptr<v1::Inference::Stub> stub = v1::Inference::NewStub(server_.NewChannel());
    const Stream stream = stub->StreamPredict(&context);
    v1::PredictResponse response;
    for (int position = 0; position < count; ++position) {
      v1::PredictRequest request;
      request.set_model("model");
      AddSequence(&request, "live", {1})->set_position(position);
      ASSERT_TRUE(stream->Write(request));
      ASSERT_TRUE(stream->Read(&response));
      ASSERT_EQ(response.results(0).next_position(), position + 1);
    }
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
  }

  void AwaitSteps() const {
    while (server_.Metric("rondo_steps_total{model=\"model\"}") < 1) std::this_thread::yield();
  }

  TestServer server_{{{"model", MakeTestModel(Cell::kLstm, 1, 64)}, {"walk", Gaussian()}}};
};

TEST_F(FairnessTest, ALiveStreamIsAnsweredWhileAnotherBringsThousandsOfLongSequences) {
  grpc::ClientContext context;
  const Stream bulk = server_.inference().StreamPredict(&context);
  v1::PredictRequest request;
  request.set_model("model");
  request.set_last_only(true);
  for (int i = 0; i < 1000; ++i) AddSequence(&request, "", RandomValues(100, 1));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(bulk->Write(request));
  std::atomic<int> answered{0};
  std::thread reader([&bulk, &answered] {
    v1::PredictResponse response;
    while (answered < 5 && bulk->Read(&response)) ++answered;
  });
  AwaitSteps();
  StepLive(10);
  EXPECT_LT(answered, 5) << "the live stream waited for the bulk";
  reader.join();
  EXPECT_EQ(answered, 5);
  bulk->WritesDone();
  EXPECT_TRUE(bulk->Finish().ok());
}

TEST_F(FairnessTest, SixLargeForecastsAreServedOrRefusedAndStopNobody) {
  std::atomic<int> ended{0};
  std::vector<grpc::Status> statuses(6);
  std::vector<grpc::ClientContext> contexts(6);
  std::vector<std::thread> clients;
  for (size_t i = 0; i < 6; ++i) {
    clients.emplace_back([this, i, &statuses, &contexts, &ended] {
      v1::ForecastRequest request;
      request.set_model("walk");
      request.add_history(1);
      request.set_horizon(7000);
      request.set_num_paths(1000);
      v1::ForecastResponse response;
      statuses[i] = server_.inference().Forecast(&contexts[i], request, &response);
      ++ended;
    });
  }
  while (server_.Metric("rondo_steps_total{model=\"walk\"}") < 1) std::this_thread::yield();
  StepLive(50);
  EXPECT_LT(ended, 6) << "the live stream waited for the forecasts";
  for (grpc::ClientContext& context : contexts) context.TryCancel();
  for (std::thread& client : clients) client.join();
  for (const grpc::Status& status : statuses) {
    EXPECT_THAT(status.error_code(), ::testing::AnyOf(grpc::StatusCode::OK, grpc::StatusCode::CANCELLED,
                                                      grpc::StatusCode::RESOURCE_EXHAUSTED))
        << status.error_message();
  }
  server_.WaitUntilQuiet();
}

TEST(WorkBudgetTest, ARequestPastTheBudgetIsRefusedByName) {
  TestServer small({{"model", MakeTestModel(Cell::kLstm, 1, 8)}},
                   [](ServerOptions* options) { options->requests.max_work_steps = 1000; });
  v1::PredictRequest request;
  v1::PredictResponse response;
  request.set_model("model");
  AddSequence(&request, "", RandomValues(501, 1));
  const grpc::Status status = small.Predict(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "the request takes 501 steps; one request may take 500, half of max_work_steps");
}

}  // namespace
}  // namespace rondo
