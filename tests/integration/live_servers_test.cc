// Real servers that share a real Redis, as processes: sessions move between them while they live, and are taken over
// from one that was killed or hangs.

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/integration/child_process.h"
#include "tests/integration/store/redis_server.h"
#include "tests/integration/test_server.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Its output is the number of timesteps so far, if each is 1.
ModelFile CountingModel() {
  ModelFile model;
  model.spec.cell = Cell::kRnn;
  model.spec.activation = Activation::kRelu;
  model.spec.num_layers = model.spec.hidden_size = 1;
  model.spec.inputs = {{"x", 0, 1}};
  model.spec.outputs = {{"y", 0, 1, ""}};
  model.weights.layers.push_back({{1}, {1}, {0}, {0}});
  model.weights.head_weight = {1};
  model.weights.head_bias = {0};
  return model;
}

// A server process that saves its changes only when it has to: hours pass between two ticks.
struct LiveServer {
  LiveServer(const std::string& model, const std::string& store)
      : process("rondo-server", {"--model=" + model, "--listen=127.0.0.1:0", "--http_listen=", "--loops=1",
                                 "--session_store=" + store, "--durability=interval", "--sync_interval=1h"}) {
    const std::string line = process.WaitForLine("event=listening");
    const size_t begin = line.find(" address=") + 9;
    inference = v1::Inference::NewStub(
        grpc::CreateChannel(line.substr(begin, line.find(' ', begin) - begin), grpc::InsecureChannelCredentials()));
  }

  // One timestep without a position, unless one is given. `count`: what the model has counted.
  grpc::Status Step(const std::string& session, float* count, std::optional<int64_t> position = std::nullopt,
                    absl::Duration timeout = absl::Seconds(30)) {
    v1::PredictRequest request;
    v1::PredictResponse response;
    request.set_model("count");
    v1::Sequence* const sequence = AddSequence(&request, session, {1});
    if (position) sequence->set_position(*position);
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    const grpc::Status status = inference->Predict(&context, request, &response);
    if (!status.ok()) return status;
    const v1::SequenceResult& result = response.results(0);
    if (result.status().code() == 0) *count = ValuesOf(result)[0];
    return grpc::Status(static_cast<grpc::StatusCode>(result.status().code()), result.status().message());
  }

  ChildProcess process;
  std::unique_ptr<v1::Inference::Stub> inference;
};

class LiveServersTest : public ::testing::Test {
 protected:
  LiveServersTest() {
    const absl::Status status = WriteModelFile(CountingModel(), model_);
    EXPECT_TRUE(status.ok()) << status;
  }

  std::unique_ptr<LiveServer> Start() { return std::make_unique<LiveServer>(model_, redis_.name()); }
  static void ExpectCount(LiveServer* server, const std::string& session, float wanted) {
    float count = 0;
    const grpc::Status status = server->Step(session, &count);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(count, wanted);
  }
  static void ExpectWentBack(LiveServer* server, const std::string& session, int64_t position) {
    float count = 0;
    const grpc::Status status = server->Step(session, &count);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(absl::StrCat("went back to position ", position)));
  }

  const TemporaryFolder folder_;
  const std::string model_ = folder_.path() + "/count.safetensors";
  RedisServer redis_;
};

TEST_F(LiveServersTest, AThousandMovesLoseAndDoubleNothing) {
  const auto a = Start();
  const auto b = Start();
  constexpr int kSessions = 10;
  float count = 0;
  for (int i = 0; i < kSessions; ++i) ASSERT_TRUE(a->Step(absl::StrCat("s", i), &count, 0).ok());
  for (int move = 1; move <= 100; ++move) {
    for (int i = 0; i < kSessions; ++i) {
      // A step at each, so that each has something that only it knows.
      ExpectCount((move + i) % 2 == 0 ? a.get() : b.get(), absl::StrCat("s", i), static_cast<float>(move + 1));
    }
  }
}

TEST_F(LiveServersTest, AServerThatEndsWellLeavesItsSessionsWholeAndAtOnce) {
  const auto a = Start();
  const auto b = Start();
  float count = 0;
  ASSERT_TRUE(a->Step("s", &count, 0).ok());
  ExpectCount(a.get(), "s", 2);
  a->process.Signal(SIGTERM);
  EXPECT_EQ(a->process.WaitForExit(), 0);
  const absl::Time start = absl::Now();
  ExpectCount(b.get(), "s", 3);
  EXPECT_LT(absl::Now() - start, absl::Seconds(3));
}

TEST_F(LiveServersTest, WhatAKilledServerLostIsSaidOnce) {
  const auto a = Start();
  const auto b = Start();
  float count = 0;
  ASSERT_TRUE(a->Step("s", &count, 0).ok());
  ExpectCount(b.get(), "s", 2);
  ExpectCount(a.get(), "s", 3);  // what b did was saved
  ExpectCount(a.get(), "s", 4);
  a->process.Signal(SIGKILL);
  ExpectWentBack(b.get(), "s", 2);
  ExpectCount(b.get(), "s", 3);
}

TEST_F(LiveServersTest, AServerThatHangsIsPassedOverAndSeesThatWhenItWakes) {
  const auto a = Start();
  const auto b = Start();
  float count = 0;
  ASSERT_TRUE(b->Step("s", &count, 0).ok());
  ExpectCount(a.get(), "s", 2);
  a->process.Stop();
  ExpectWentBack(b.get(), "s", 1);
  ExpectCount(b.get(), "s", 2);
  ExpectCount(b.get(), "s", 3);
  a->process.Signal(SIGCONT);
  ExpectCount(a.get(), "s", 4);
  ExpectCount(b.get(), "s", 5);
}

TEST_F(LiveServersTest, AfterACrashOverRocksdbAClientWithoutPositionsHearsOnce) {
  const std::string store = "rocksdb:" + folder_.path() + "/store";
  auto server = std::make_unique<LiveServer>(model_, store);
  float count = 0;
  ASSERT_TRUE(server->Step("s", &count, 0).ok());
  server->process.Signal(SIGTERM);
  EXPECT_EQ(server->process.WaitForExit(), 0);
  server = std::make_unique<LiveServer>(model_, store);
  ExpectCount(server.get(), "s", 2);  // nothing was lost
  server->process.Signal(SIGKILL);
  server->process.WaitForExit();
  server = std::make_unique<LiveServer>(model_, store);
  ExpectWentBack(server.get(), "s", 1);
  ExpectCount(server.get(), "s", 2);
  server->process.Signal(SIGTERM);
  EXPECT_EQ(server->process.WaitForExit(), 0);
  server = std::make_unique<LiveServer>(model_, store);
  ExpectCount(server.get(), "s", 3);
}

}  // namespace
}  // namespace rondo
