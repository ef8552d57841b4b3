// Sessions as values, over real connections: out of one server and into another, forks, and what is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <thread>

#include "absl/time/clock.h"
#include "tests/integration/session_calls.h"

namespace rondo {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// The replies to the same, a step a message on one stream.
std::vector<float> Stream(TestServer* server, const std::string& id, const KnownSeries& series, int64_t begin,
                          int64_t end) {
  grpc::ClientContext context;
  const auto stream = server->inference().StreamPredict(&context);
  std::vector<float> outputs;
  for (int64_t step = begin; step < end; ++step) {
    v1::PredictRequest request;
    v1::PredictResponse response;
    request.set_model("m");
    AddSequence(&request, id, series.Inputs(0, step, step + 1))->set_position(step);
    if (!stream->Write(request) || !stream->Read(&response) || response.results_size() != 1) break;
    const std::vector<float> values = ValuesOf(response.results(0));
    outputs.insert(outputs.end(), values.begin(), values.end());
  }
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  return outputs;
}

class SessionsValueTest : public ::testing::Test {
 protected:
  const ModelFile model_ = LstmModel();
  const KnownSeries series_{*NetworkOf(model_), 2, 60};
  TestServer server_{{{"m", model_}}, MakeDeterministic};
  v1::Session session_;
};

TEST_F(SessionsValueTest, AStreamGoesOnBitForBitOnAnotherServer) {
  TestServer other({{"m", model_}}, MakeDeterministic);
  EXPECT_THAT(Stream(&server_, "s", series_, 0, 20), ElementsAreArray(series_.Outputs(0, 0, 20)));
  const Exported exported = Export(&server_, "s");
  ASSERT_TRUE(exported.status.ok()) << exported.status.error_message();
  EXPECT_EQ(exported.response.session().session_id(), "s");
  EXPECT_EQ(exported.response.session().model(), "m");
  EXPECT_EQ(exported.response.session().version(), 1);
  EXPECT_EQ(exported.response.session().position(), 20);
  EXPECT_EQ(exported.response.session().idle_timeout_seconds(), 600);

  const grpc::Status imported = Import(&other, exported.response.state(), "", &session_);
  ASSERT_TRUE(imported.ok()) << imported.error_message();
  EXPECT_EQ(session_.session_id(), "s");
  EXPECT_EQ(session_.position(), 20);
  EXPECT_EQ(session_.idle_timeout_seconds(), 600);
  EXPECT_THAT(Stream(&other, "s", series_, 20, 60), ElementsAreArray(series_.Outputs(0, 20, 60)));
  EXPECT_THAT(Stream(&server_, "s", series_, 20, 60), ElementsAreArray(series_.Outputs(0, 20, 60))) << "still live";
}

TEST_F(SessionsValueTest, ARetryOfTheLastRequestIsAnsweredAfterTheMove) {
  TestServer other({{"m", model_}}, MakeDeterministic);
  Steps(&server_, "s", series_, 0, 0, 7);
  const std::vector<float> last = Steps(&server_, "s", series_, 0, 7, 12);
  ASSERT_TRUE(Import(&other, StateOf(&server_, "s"), "moved", &session_).ok());
  EXPECT_EQ(session_.session_id(), "moved");
  EXPECT_THAT(Steps(&other, "moved", series_, 0, 7, 12), ElementsAreArray(last));
  EXPECT_THAT(Steps(&other, "moved", series_, 0, 12, 13), ElementsAreArray(series_.Outputs(0, 12, 13)));
}

TEST_F(SessionsValueTest, TheBranchesOfAForkGoOnIndependently) {
  Steps(&server_, "s", series_, 0, 0, 10);
  ASSERT_TRUE(Fork(&server_, "s", "what-if", &session_).ok());
  EXPECT_EQ(session_.session_id(), "what-if");
  EXPECT_EQ(session_.position(), 10);
  // The other series' inputs, from here on: what a session that had them all along says.
  ASSERT_TRUE(Fork(&server_, "s", "expected", &session_).ok());
  const std::vector<float> branch = Steps(&server_, "expected", series_, 1, 10, 20);
  EXPECT_NE(branch, series_.Outputs(0, 10, 20));

  for (int64_t step = 10; step < 20; ++step) {
    const std::vector<float> row(branch.begin() + (step - 10) * 2, branch.begin() + (step - 9) * 2);
    EXPECT_THAT(Steps(&server_, "what-if", series_, 1, step, step + 1), ElementsAreArray(row)) << step;
    EXPECT_THAT(Steps(&server_, "s", series_, 0, step, step + 1), ElementsAreArray(series_.Outputs(0, step, step + 1)));
  }
}

TEST_F(SessionsValueTest, AForkWithoutAnIdGetsARandomOne) {
  Steps(&server_, "s", series_, 0, 0, 1);
  ASSERT_TRUE(Fork(&server_, "s", "", &session_).ok());
  EXPECT_THAT(session_.session_id(), SizeIs(32));
  EXPECT_EQ(Fork(&server_, "s", "s", &session_).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(Fork(&server_, "s", "a b", &session_).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Fork(&server_, "none", "t", &session_).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Export(&server_, "none").status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Export(&server_, "").status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(server_.Metric("rondo_rejected_total{reason=\"not_found\"}"), 2);
}

// A session that is busy for as long as one long message takes.
class BusySessionTest : public ::testing::Test {
 protected:
  ~BusySessionTest() override {
    context_.TryCancel();
    server_.WaitUntilQuiet();
  }

  // One step, then `timesteps` on a stream, which have begun.
  void Occupy(int timesteps) {
    v1::PredictRequest request;
    request.set_model("m");
    request.set_last_only(true);
    v1::Sequence* const sequence = AddSequence(&request, "s", {1});
    sequence->set_position(0);
    v1::PredictResponse response;
    const grpc::Status status = server_.Predict(request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    sequence->set_position(1);
    sequence->mutable_values()->Resize(timesteps, 0.5f);
    stream_ = server_.inference().StreamPredict(&context_);
    ASSERT_TRUE(stream_->Write(request));
    WaitUntilInFlight(1);
  }

  void WaitUntilInFlight(double requests) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (server_.Metric("rondo_requests_in_flight") != requests) {
      ASSERT_LT(absl::Now(), deadline) << requests << " requests never were in flight";
      std::this_thread::yield();
    }
  }

  TestServer server_{{{"m", MakeTestModel(Cell::kLstm, 1, 128)}},
                     [](ServerOptions* options) { options->requests.max_timesteps = 1'000'000; }};
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PredictRequest, v1::PredictResponse>> stream_;
};

TEST_F(BusySessionTest, AForkComesAfterTheSequenceThatRuns) {
  ASSERT_NO_FATAL_FAILURE(Occupy(20'000));
  v1::Session session;
  const grpc::Status status = Fork(&server_, "s", "t", &session);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(session.position(), 20'001);
  v1::PredictResponse response;
  ASSERT_TRUE(stream_->Read(&response));
  EXPECT_EQ(response.results(0).next_position(), 20'001);
  EXPECT_EQ(Export(&server_, "t").response.state().size(), Export(&server_, "s").response.state().size());
}

TEST_F(BusySessionTest, WhoGivesUpLeavesTheQueue) {
  ASSERT_NO_FATAL_FAILURE(Occupy(500'000));
  grpc::ClientContext context;
  auto exported = std::async(std::launch::async, [&] {
    v1::ExportSessionRequest request;
    request.set_session_id("s");
    v1::ExportSessionResponse response;
    return server_.sessions().ExportSession(&context, request, &response).error_code();
  });
  ASSERT_NO_FATAL_FAILURE(WaitUntilInFlight(2));
  context.TryCancel();
  EXPECT_EQ(exported.get(), grpc::StatusCode::CANCELLED);
  ASSERT_NO_FATAL_FAILURE(WaitUntilInFlight(1));
  EXPECT_EQ(server_.Metric("rondo_rejected_total{reason=\"cancelled\"}"), 1);
  context_.TryCancel();
  const Exported again = Export(&server_, "s");
  ASSERT_TRUE(again.status.ok()) << again.status.error_message();
  EXPECT_EQ(again.response.session().position(), 1);
}

class ImportTest : public SessionsValueTest {
 protected:
  ImportTest() {
    Steps(&server_, "s", series_, 0, 0, 3);
    state_ = StateOf(&server_, "s");
  }

  grpc::Status Refusal(TestServer* server, const std::string& state, const std::string& id = "t") {
    return Import(server, state, id, &session_);
  }

  std::string state_;
};

TEST_F(ImportTest, OtherWeightsUnderTheSameNameAndVersionAreRefused) {
  TestServer other({{"m", LstmModel(2)}}, MakeDeterministic);
  const grpc::Status status = Refusal(&other, state_);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("model 'm' version 1"));
  EXPECT_THAT(status.error_message(), HasSubstr("other weights"));
  EXPECT_EQ(other.Metric("rondo_sessions{model=\"m\"}"), 0);
}

TEST_F(ImportTest, AModelThatIsNotLiveIsRefusedByName) {
  TestServer other({{"n", model_}});
  const grpc::Status status = Refusal(&other, state_);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("no model \"m\""));
}

TEST_F(ImportTest, TheSameWeightsUnderAnotherVersionTakeTheSession) {
  TestServer other({{"m", LstmModel(2)}}, MakeDeterministic);
  const std::string folder = other.model_repository() + "/m/5";
  std::filesystem::create_directories(folder);
  ModelFile same = model_;
  same.spec.training_json = R"({"note":"another provenance"})";
  ASSERT_TRUE(WriteModelFile(same, folder + "/model.safetensors").ok());
  other.server().ReloadModels();
  const grpc::Status status = Import(&other, state_, "", &session_);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(session_.version(), 5);
  EXPECT_THAT(Stream(&other, "s", series_, 3, 9), ElementsAreArray(series_.Outputs(0, 3, 9)));
}

TEST_F(ImportTest, WhatIsNoStateIsRefused) {
  EXPECT_EQ(Refusal(&server_, "").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Refusal(&server_, "something else").error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(Refusal(&server_, state_.substr(0, state_.size() - 1)).error_code(), grpc::StatusCode::DATA_LOSS);
  for (size_t at = 0; at < state_.size(); ++at) {
    std::string damaged = state_;
    damaged[at] = static_cast<char>(damaged[at] ^ 1 << at % 8);
    EXPECT_EQ(Refusal(&server_, damaged).error_code(), grpc::StatusCode::DATA_LOSS) << at;
  }
  EXPECT_EQ(Refusal(&server_, state_, "a b").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Refusal(&server_, state_, "s").error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(Refusal(&server_, state_, "").error_code(), grpc::StatusCode::ALREADY_EXISTS) << "its own id";
  EXPECT_EQ(server_.Metric("rondo_sessions{model=\"m\"}"), 1);
  EXPECT_TRUE(Refusal(&server_, state_).ok()) << "the state itself";
}

TEST_F(ImportTest, AVersionThatIsNoLongerLiveCanBeExportedAndForked) {
  const std::string folder = server_.model_repository() + "/m";
  std::filesystem::create_directories(folder + "/2");
  ASSERT_TRUE(WriteModelFile(LstmModel(2), folder + "/2/model.safetensors").ok());
  std::filesystem::remove_all(folder + "/1");
  server_.server().ReloadModels();
  EXPECT_EQ(StateOf(&server_, "s").size(), state_.size());
  ASSERT_TRUE(Fork(&server_, "s", "branch", &session_).ok());
  EXPECT_EQ(session_.version(), 1);
  EXPECT_THAT(Steps(&server_, "branch", series_, 0, 3, 5), ElementsAreArray(series_.Outputs(0, 3, 5)));
  const grpc::Status status = Refusal(&server_, state_);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("version 1"));
}

TEST_F(ImportTest, TheCapOfSessionsHolds) {
  TestServer full({{"m", model_}}, [](ServerOptions* options) { options->sessions.max_sessions = 1; });
  ASSERT_TRUE(Refusal(&full, state_, "first").ok());
  EXPECT_EQ(Refusal(&full, state_, "second").error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(full.Metric("rondo_rejected_total{reason=\"sessions_full\"}"), 1);
}

}  // namespace
}  // namespace rondo
