#include "client/load/load_run.h"

#include <atomic>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/cpu_list.h"
#include "base/mutex.h"
#include "client/load/echo_server/echo_service.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "inference/open_inference.grpc.pb.h"
#include "rondo/v1/models.grpc.pb.h"
#include "rondo/v1/sessions.grpc.pb.h"

namespace rondo::load {
namespace {

class OneModel final : public v1::Models::Service {
  grpc::Status GetModel(grpc::ServerContext*, const v1::GetModelRequest* request, v1::Model* model) override {
    if (request->name() != "m") return {grpc::StatusCode::NOT_FOUND, "no such model"};
    model->set_name("m");
    model->set_version(1);
    model->set_input_size(3);
    model->set_output_size(2);
    return grpc::Status::OK;
  }
};

class DeletedSessions final : public v1::Sessions::Service {
 public:
  size_t count() {
    MutexLock lock(&mutex_);
    return ids_.size();
  }

 private:
  grpc::Status DeleteSession(grpc::ServerContext*, const v1::DeleteSessionRequest* request,
                             v1::DeleteSessionResponse*) override {
    MutexLock lock(&mutex_);
    ids_.insert(request->session_id());
    return grpc::Status::OK;
  }

  Mutex mutex_;
  std::set<std::string> ids_ ABSL_GUARDED_BY(mutex_);
};

// Answers the model's two outputs a timestep, and counts the flags of sequences.
class TritonEcho final : public inference::GRPCInferenceService::Service {
 public:
  int starts() const { return starts_; }
  int ends() const { return ends_; }

 private:
  grpc::Status ModelInfer(grpc::ServerContext*, const inference::ModelInferRequest* request,
                          inference::ModelInferResponse* response) override {
    Answer(*request, response);
    return grpc::Status::OK;
  }

  grpc::Status ModelStreamInfer(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<inference::ModelStreamInferResponse, inference::ModelInferRequest>* stream) override {
    inference::ModelInferRequest request;
    while (stream->Read(&request)) {
      inference::ModelStreamInferResponse response;
      Answer(request, response.mutable_infer_response());
      if (!stream->Write(response)) break;
    }
    return grpc::Status::OK;
  }

  void Answer(const inference::ModelInferRequest& request, inference::ModelInferResponse* response) {
    if (request.parameters().at("sequence_start").bool_param()) ++starts_;
    if (request.parameters().at("sequence_end").bool_param()) ++ends_;
    response->set_id(request.id());
    response->add_outputs()->set_name("OUTPUT");
    response->add_raw_output_contents(std::string(static_cast<size_t>(request.inputs(0).shape(0)) * 2 * 4, '\0'));
  }

  std::atomic<int> starts_{0};
  std::atomic<int> ends_{0};
};

// The echo stands in for the server: it answers in the same shape.
class LoadRunTest : public ::testing::Test {
 protected:
  LoadRunTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&echo_);
    builder.RegisterService(&models_);
    builder.RegisterService(&sessions_);
    builder.RegisterService(&triton_);
    server_ = builder.BuildAndStart();
    options_.server = absl::StrCat("127.0.0.1:", port);
    options_.model = "m";
    options_.streams = 3;
    options_.sessions_per_message = 5;
    options_.timesteps = 2;
    options_.duration = absl::Milliseconds(250);  // long enough for a first reply on a busy machine
    options_.warmup = absl::Milliseconds(10);
    options_.rounds = 1;
    options_.connections = 1;
  }
  ~LoadRunTest() override { server_->Shutdown(); }

  RunReport Run() {
    absl::StatusOr<RunReport> report = RunLoad(options_, &stop_);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : RunReport();
  }

  EchoService echo_{3, 2};
  OneModel models_;
  DeletedSessions sessions_;
  TritonEcho triton_;
  std::unique_ptr<grpc::Server> server_;
  LoadOptions options_;
  std::atomic<bool> stop_{false};
};

TEST_F(LoadRunTest, AClosedLoopIsAnsweredWithoutErrorsAndDeletesItsSessions) {
  options_.threads = 2;
  const RunReport report = Run();
  EXPECT_GT(report.rondo.messages, 0);
  EXPECT_EQ(report.rondo.steps, report.rondo.messages * 5 * 2);
  EXPECT_EQ(report.rondo.latency.count(), report.rondo.messages);
  EXPECT_EQ(report.rondo.total_errors(), 0) << report.rondo.first_error;
  EXPECT_EQ(sessions_.count(), 15u);
}

TEST_F(LoadRunTest, AnOpenLoopCountsEveryScheduledMessageOnce) {
  options_.open_loop.rate = 1000;
  options_.duration = absl::Milliseconds(200);
  const RunReport report = Run();
  EXPECT_EQ(report.rondo.latency.count(), 200);
  EXPECT_EQ(report.rondo.total_errors(), 0) << report.rondo.first_error;
}

TEST_F(LoadRunTest, UnaryAndStatelessAndPipelinedRunsAreAnsweredWithoutErrors) {
  options_.unary = true;
  EXPECT_EQ(Run().rondo.total_errors(), 0);
  options_.stateless = true;
  const size_t deleted = sessions_.count();
  EXPECT_EQ(Run().rondo.total_errors(), 0);
  EXPECT_EQ(sessions_.count(), deleted);
  options_.unary = false;
  options_.stateless = false;
  options_.in_flight = 8;
  options_.connections = 3;
  const RunReport report = Run();
  EXPECT_GT(report.rondo.messages, 0);
  EXPECT_EQ(report.rondo.total_errors(), 0) << report.rondo.first_error;
}

TEST_F(LoadRunTest, APoolIsCreatedBeforeItIsMeasuredAndKeptIfWanted) {
  options_.threads = 2;
  options_.in_flight = 3;
  options_.session_pool = 200;  // shares of 67, 67 and 66: 14 messages each
  for (const bool keep : {true, false}) {
    options_.keep_sessions = keep;
    const RunReport report = Run();
    ASSERT_TRUE(report.creation.has_value());
    EXPECT_EQ(report.creation->messages, 3 * 14);
    EXPECT_EQ(report.creation->total_errors(), 0) << report.creation->first_error;
    EXPECT_GT(report.creation->elapsed_nanos, 0);
    EXPECT_GT(report.rondo.messages, 0);
    EXPECT_EQ(report.rondo.total_errors(), 0) << report.rondo.first_error;
    EXPECT_EQ(sessions_.count(), keep ? 0u : 200u);
  }
}

TEST_F(LoadRunTest, TheEchoBaselineRunsAsAProcessOfItsOwn) {
  options_.baseline = Baseline::kEcho;
  options_.cpus.echo = CurrentCpus();
  options_.rounds = 2;
  const RunReport report = Run();
  ASSERT_TRUE(report.baseline.has_value());
  EXPECT_GT(report.rondo.messages, 0);
  EXPECT_GT(report.baseline->messages, 0);
  EXPECT_EQ(report.baseline->total_errors(), 0) << report.baseline->first_error;
  EXPECT_NEAR(static_cast<double>(report.baseline->elapsed_nanos), 250e6, 1e6);
}

TEST_F(LoadRunTest, TheOpenInferenceProtocolRunsBesideTheNativeOneAndEndsItsSequences) {
  options_.protocol = Protocol::kOpenInference;
  options_.baseline = Baseline::kNative;
  options_.sessions_per_message = 1;
  for (const bool unary : {false, true}) {
    options_.unary = unary;
    options_.string_ids = unary;
    const RunReport report = Run();
    EXPECT_GT(report.rondo.messages, 0);
    EXPECT_EQ(report.rondo.total_errors(), 0) << report.rondo.first_error;
    ASSERT_TRUE(report.baseline.has_value());
    EXPECT_GT(report.baseline->messages, 0);
    EXPECT_EQ(report.baseline->total_errors(), 0) << report.baseline->first_error;
  }
  EXPECT_GT(triton_.starts(), 0);
  EXPECT_EQ(triton_.ends(), triton_.starts());  // a stream that was slow to open has neither
  EXPECT_EQ(sessions_.count(), 6u);             // the baseline's; END is what ends the others
}

TEST_F(LoadRunTest, AWrongReplyIsCounted) {
  server_->Shutdown();
  EchoService wrong(3, 1);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&wrong);
  builder.RegisterService(&models_);
  builder.RegisterService(&sessions_);
  server_ = builder.BuildAndStart();
  options_.server = absl::StrCat("127.0.0.1:", port);
  const RunReport report = Run();
  EXPECT_EQ(report.rondo.messages, 0);
  EXPECT_EQ(report.rondo.first_error, "WRONG_REPLY: reply has 2 values; expected 4");
}

TEST_F(LoadRunTest, AnUnknownModelIsReportedByName) {
  options_.model = "other";
  const absl::StatusOr<RunReport> report = RunLoad(options_, &stop_);
  EXPECT_EQ(report.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(report.status().message()), ::testing::HasSubstr("model 'other'"));
}

TEST_F(LoadRunTest, AStoppedRunReportsWhatItMeasured) {
  stop_ = true;
  const RunReport report = Run();
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(report.rondo.messages, 0);
}

TEST(CpuListTest, ListsAreReadAsTasksetWritesThem) {
  const std::string all = CurrentCpus();
  EXPECT_TRUE(MoveToCpus(all).ok());
  EXPECT_EQ(CurrentCpus(), all);
  EXPECT_TRUE(MoveToCpus("").ok());
  EXPECT_EQ(MoveToCpus("1-").message(), "CPU list is '1-'; wanted numbers and ranges: 0,2-3");
  EXPECT_FALSE(MoveToCpus("a").ok());
  EXPECT_FALSE(MoveToCpus("3-1").ok());
  EXPECT_FALSE(MoveToCpus("99999").ok());
}

}  // namespace
}  // namespace rondo::load
