// A server with two loops: sessions pass between them, and stopping waits for both.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/time/clock.h"
#include "tests/integration/test_server.h"

namespace rondo {
namespace {

using ::testing::AnyOf;
using ::testing::FloatNear;
using ::testing::Pointwise;

constexpr size_t kClients = 12;  // connections; each belongs to one loop

// One successful call for the shared session.
struct Answered {
  int64_t next_position;
  std::vector<float> inputs;
  std::vector<float> outputs;
};

class LoopsTest : public ::testing::Test {
 protected:
  static constexpr size_t kInputSize = 3;

  v1::PredictRequest RequestOf(const std::string& session_id, const std::vector<float>& values) {
    v1::PredictRequest request;
    request.set_model("lstm");
    AddSequence(&request, session_id, values);
    return request;
  }

  static void SetDeadline(grpc::ClientContext* context) {
    context->set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(60)));
  }

  // Calls of one client until one is not answered; its status.
  grpc::Status CallUntilRefused(std::atomic<int>* answered) {
    const auto stub = v1::Inference::NewStub(server_->NewChannel());
    while (true) {
      grpc::ClientContext context;
      SetDeadline(&context);
      v1::PredictResponse response;
      const grpc::Status status = stub->Predict(&context, RequestOf("", RandomValues(kInputSize * 50, 1)), &response);
      if (!status.ok()) return status;
      ++*answered;
    }
  }

  // Messages of one stream until it ends; what it ends with.
  grpc::Status StreamUntilRefused(std::atomic<int>* answered) {
    const auto stub = v1::Inference::NewStub(server_->NewChannel());
    grpc::ClientContext context;
    SetDeadline(&context);
    const auto stream = stub->StreamPredict(&context);
    v1::PredictResponse response;
    while (stream->Write(RequestOf("", RandomValues(kInputSize * 50, 1))) && stream->Read(&response)) ++*answered;
    while (stream->Read(&response)) {  // gRPC has the status once all is read, the server's goodbye too
    }
    return stream->Finish();
  }

  void Start() {
    server_ = std::make_unique<TestServer>(std::vector<std::pair<std::string, ModelFile>>{{"lstm", model_}},
                                           [](ServerOptions* options) { options->loops.count = 2; });
  }
  // Clients of both kinds, until the server refuses them all; it is told to stop once some have been answered.
  std::vector<grpc::Status> StopUnderLoad(absl::Duration timeout);

  const ModelFile model_ = MakeTestModel(Cell::kLstm, kInputSize, 32);
  std::unique_ptr<TestServer> server_;
};

std::vector<grpc::Status> LoopsTest::StopUnderLoad(absl::Duration timeout) {
  std::atomic<int> answered{0};
  std::vector<grpc::Status> ends(kClients);
  std::vector<std::thread> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.emplace_back(
        [&, i] { ends[i] = i % 2 == 0 ? CallUntilRefused(&answered) : StreamUntilRefused(&answered); });
  }
  while (answered < static_cast<int>(kClients) * 4) std::this_thread::yield();
  server_->server().Stop(timeout);
  for (std::thread& client : clients) client.join();
  return ends;
}

TEST_F(LoopsTest, OneSessionFromManyConnectionsIsOneSequence) {
  Start();
  v1::CreateSessionRequest create;
  v1::Session session;
  create.set_model("lstm");
  create.set_session_id("shared");
  grpc::ClientContext create_context;
  ASSERT_TRUE(server_->sessions().CreateSession(&create_context, create, &session).ok());
  std::vector<std::vector<Answered>> answered(kClients);
  std::vector<std::thread> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const auto stub = v1::Inference::NewStub(server_->NewChannel());
      for (size_t call = 0; call < 40; ++call) {
        // Some are long, so that a queue forms behind them.
        const size_t timesteps = call % 10 == i % 10 ? 100 : 1 + call % 3;
        const std::vector<float> inputs = RandomValues(timesteps * kInputSize, static_cast<uint32_t>(i * 1000 + call));
        grpc::ClientContext context;
        SetDeadline(&context);
        v1::PredictResponse response;
        const grpc::Status status = stub->Predict(&context, RequestOf("shared", inputs), &response);
        ASSERT_TRUE(status.ok()) << status.error_message();
        answered[i].push_back({response.results(0).next_position(), inputs, ValuesOf(response.results(0))});
      }
    });
  }
  for (std::thread& client : clients) client.join();

  std::vector<Answered> in_order;
  for (const std::vector<Answered>& own : answered) {
    EXPECT_TRUE(std::is_sorted(own.begin(), own.end(),
                               [](const Answered& a, const Answered& b) { return a.next_position < b.next_position; }));
    in_order.insert(in_order.end(), own.begin(), own.end());
  }
  std::sort(in_order.begin(), in_order.end(),
            [](const Answered& a, const Answered& b) { return a.next_position < b.next_position; });
  std::vector<float> inputs, outputs;
  for (const Answered& call : in_order) {
    inputs.insert(inputs.end(), call.inputs.begin(), call.inputs.end());
    outputs.insert(outputs.end(), call.outputs.begin(), call.outputs.end());
    ASSERT_EQ(call.next_position, static_cast<int64_t>(inputs.size() / kInputSize));
  }
  EXPECT_THAT(outputs, Pointwise(FloatNear(1e-5f), ReferenceOutputs(model_, inputs)));
  v1::GetSessionRequest get;
  get.set_session_id("shared");
  grpc::ClientContext get_context;
  ASSERT_TRUE(server_->sessions().GetSession(&get_context, get, &session).ok());
  EXPECT_EQ(session.position(), static_cast<int64_t>(inputs.size() / kInputSize));
}

TEST_F(LoopsTest, DrainingUnderLoadAnswersEveryCallOrSaysUnavailable) {
  Start();
  const absl::Time start = absl::Now();
  for (const grpc::Status& status : StopUnderLoad(absl::Seconds(30))) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
}

TEST_F(LoopsTest, StoppingAtOnceUnderLoadEndsEveryCall) {
  for (int round = 0; round < 20; ++round) {
    Start();
    for (const grpc::Status& status : StopUnderLoad(absl::ZeroDuration())) {
      EXPECT_THAT(status.error_code(), AnyOf(grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::CANCELLED))
          << status.error_message();
    }
  }
}

}  // namespace
}  // namespace rondo
