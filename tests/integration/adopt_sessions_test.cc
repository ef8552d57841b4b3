// --adopt_sessions: what becomes of live sessions when a version of their model comes or goes while the server runs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "model/compute_thread.h"
#include "tests/integration/session_calls.h"

namespace rondo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kInputs = 2;

// Other weights, means and deviations; the same shape.
ModelFile Retrained() {
  ModelFile model = LstmModel(2);
  for (InputFeature& input : model.spec.inputs) input.mean += 0.5;
  for (OutputFeature& output : model.spec.outputs) output.std *= 2;
  return model;
}

// A session as the networks themselves compute it, to the bit.
class ComputedSession {
 public:
  std::vector<float> Step(const Network& network, const std::vector<float>& input) {
    state_.resize(static_cast<size_t>(network.spec().state_size()));
    std::vector<float> output(static_cast<size_t>(network.spec().output_size()));
    StepRow row;
    row.input = input.data();
    row.state_in = row.state_out = state_.data();
    row.output = output.data();
    PrepareComputeThread();
    network.Step(absl::MakeSpan(&row, 1));
    return output;
  }

 private:
  std::vector<float> state_;
};

// A server with version 1 of "m", and a stream that drives its session "s" one timestep a message.
class AdoptSessionsTest : public ::testing::Test {
 protected:
  void Start(AdoptSessions adopt) {
    server_ = std::make_unique<TestServer>(std::vector<std::pair<std::string, ModelFile>>{{"m", model_}},
                                           [adopt](ServerOptions* options) {
                                             MakeDeterministic(options);
                                             options->adopt_sessions = adopt;
                                           });
    stream_ = server_->inference().StreamPredict(&context_);
  }
  ~AdoptSessionsTest() override {
    if (stream_ == nullptr) return;
    stream_->WritesDone();
    EXPECT_TRUE(stream_->Finish().ok());
  }

  std::string FolderOf(int version) const { return absl::StrCat(server_->model_repository(), "/m/", version); }
  // As README says to: complete, then under its name.
  void Put(int version, const ModelFile& model) {
    std::filesystem::create_directories(FolderOf(version));
    const std::string path = FolderOf(version) + "/model.safetensors";
    ASSERT_TRUE(WriteModelFile(model, path + ".new").ok());
    std::filesystem::rename(path + ".new", path);
    server_->server().ReloadModels();
  }
  void Remove(int version) {
    std::filesystem::remove_all(FolderOf(version));
    server_->server().ReloadModels();
  }

  static std::vector<float> InputOf(int64_t position) { return RandomValues(kInputs, static_cast<uint32_t>(position)); }

  v1::SequenceResult Ask(int64_t position, int64_t version = 0) {
    v1::PredictRequest request;
    v1::PredictResponse response;
    request.set_model("m");
    request.set_version(version);
    AddSequence(&request, "s", InputOf(position))->set_position(position);
    EXPECT_TRUE(stream_->Write(request) && stream_->Read(&response));
    EXPECT_EQ(response.results_size(), 1) << response.status().message();
    return response.results_size() == 1 ? response.results(0) : v1::SequenceResult();
  }

  // The stream's next timestep; `network` is to be the one that answers.
  void ExpectStepOf(const Network& network, int64_t version = 0) {
    const v1::SequenceResult result = Ask(position_, version);
    EXPECT_FALSE(result.has_status()) << result.status().message();
    EXPECT_EQ(ValuesOf(result), computed_.Step(network, InputOf(position_))) << "position " << position_;
    EXPECT_EQ(result.next_position(), ++position_);
  }

  int64_t VersionOf(const std::string& id) {
    grpc::ClientContext context;
    v1::GetSessionRequest request;
    v1::Session session;
    request.set_session_id(id);
    EXPECT_TRUE(server_->sessions().GetSession(&context, request, &session).ok());
    return session.version();
  }

  // The first timestep of a new session.
  std::vector<float> FirstStepOf(const std::string& id) {
    v1::PredictRequest request;
    v1::PredictResponse response;
    request.set_model("m");
    AddSequence(&request, id, InputOf(0))->set_position(0);
    EXPECT_TRUE(server_->Predict(request, &response).ok());
    return response.results_size() == 1 ? ValuesOf(response.results(0)) : std::vector<float>();
  }

  double Adopted() const { return server_->Metric("rondo_session_events_total{model=\"m\",event=\"adopted\"}"); }

  const ModelFile model_ = LstmModel(1);
  const std::unique_ptr<Network> first_ = NetworkOf(model_);
  const std::unique_ptr<Network> second_ = NetworkOf(Retrained());
  std::unique_ptr<TestServer> server_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PredictRequest, v1::PredictResponse>> stream_;
  ComputedSession computed_;
  int64_t position_ = 0;
};

TEST_F(AdoptSessionsTest, NeverASessionFinishesOnTheVersionItBeganOnAlsoWhenThatHasLeft) {
  Start(AdoptSessions::kNever);
  for (int i = 0; i < 3; ++i) ExpectStepOf(*first_);
  Put(2, Retrained());
  for (int i = 0; i < 3; ++i) ExpectStepOf(*first_);
  ComputedSession fresh;
  EXPECT_EQ(FirstStepOf("new"), fresh.Step(*second_, InputOf(0)));
  Remove(1);
  for (int i = 0; i < 3; ++i) ExpectStepOf(*first_);
  EXPECT_EQ(VersionOf("s"), 1);
  EXPECT_EQ(VersionOf("new"), 2);
  EXPECT_EQ(Adopted(), 0);
}

TEST_F(AdoptSessionsTest, TheNewestVersionGoesOnWithTheStateFromTheNextStep) {
  Start(AdoptSessions::kSameShape);
  for (int i = 0; i < 3; ++i) ExpectStepOf(*first_);
  Put(2, Retrained());
  EXPECT_EQ(VersionOf("s"), 1) << "no request has come";
  for (int i = 0; i < 3; ++i) ExpectStepOf(*second_);
  EXPECT_EQ(VersionOf("s"), 2);
  EXPECT_EQ(Adopted(), 1);
  EXPECT_EQ(server_->Metric("rondo_sessions{model=\"m\"}"), 1);
  Remove(1);
  for (int i = 0; i < 3; ++i) ExpectStepOf(*second_);
}

TEST_F(AdoptSessionsTest, ARetriedRequestIsAnsweredAsTheOldVersionDidAndMovesNothing) {
  Start(AdoptSessions::kSameShape);
  ComputedSession again;
  ExpectStepOf(*first_);
  Put(2, Retrained());
  EXPECT_EQ(ValuesOf(Ask(0)), again.Step(*first_, InputOf(0)));
  EXPECT_EQ(VersionOf("s"), 1);
  ExpectStepOf(*second_);
}

TEST_F(AdoptSessionsTest, ARequestThatIsRefusedMovesNothing) {
  Start(AdoptSessions::kSameShape);
  ExpectStepOf(*first_);
  Put(2, Retrained());
  EXPECT_EQ(Ask(7).status().code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(VersionOf("s"), 1);
  EXPECT_EQ(Adopted(), 0);
}

TEST_F(AdoptSessionsTest, ARequestThatNamesItsVersionStaysOnIt) {
  Start(AdoptSessions::kSameShape);
  ExpectStepOf(*first_);
  Put(2, Retrained());
  for (int i = 0; i < 3; ++i) ExpectStepOf(*first_, 1);
  const v1::SequenceResult other = Ask(position_, 2);
  EXPECT_EQ(other.status().code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(other.status().message(), AllOf(HasSubstr("version 1"), HasSubstr("version 2")));
  ExpectStepOf(*second_);
  EXPECT_EQ(Ask(position_, 1).status().code(), grpc::StatusCode::FAILED_PRECONDITION);
  ExpectStepOf(*second_, 2);
}

TEST_F(AdoptSessionsTest, AFileThatReplacesItsVersionIsANewVersionToItsSessions) {
  Start(AdoptSessions::kSameShape);
  ExpectStepOf(*first_);
  Put(1, Retrained());
  ExpectStepOf(*first_, 1);  // named
  ExpectStepOf(*second_);
}

TEST_F(AdoptSessionsTest, AVersionOfAnotherShapeLeavesTheSessionOnItsOwnWhichIsKept) {
  Start(AdoptSessions::kSameShape);
  ExpectStepOf(*first_);
  Put(2, MakeTestModel(Cell::kLstm, kInputs, 24, 2));
  ExpectStepOf(*first_);
  Remove(1);
  for (int i = 0; i < 3; ++i) ExpectStepOf(*first_);
  EXPECT_EQ(VersionOf("s"), 1);
  Put(3, Retrained());
  ExpectStepOf(*second_);
  EXPECT_EQ(VersionOf("s"), 3);
}

TEST_F(AdoptSessionsTest, AVersionWithItsInputsInAnotherOrderDoesNotAdopt) {
  Start(AdoptSessions::kSameShape);
  ExpectStepOf(*first_);
  ModelFile turned = Retrained();
  std::swap(turned.spec.inputs[0], turned.spec.inputs[1]);
  Put(2, turned);
  ExpectStepOf(*first_);
  EXPECT_EQ(Adopted(), 0);
}

TEST_F(AdoptSessionsTest, ANewestVersionThatIsTakenBackGivesItsSessionsBack) {
  Start(AdoptSessions::kSameShape);
  ExpectStepOf(*first_);
  Put(2, Retrained());
  ExpectStepOf(*second_);
  Remove(2);
  ExpectStepOf(*first_);
  EXPECT_EQ(VersionOf("s"), 1);
}

TEST_F(AdoptSessionsTest, AForecastIsOfTheVersionThatTheSessionRuns) {
  Start(AdoptSessions::kSameShape);
  ExpectStepOf(*first_);
  const auto forecast = [this] {
    grpc::ClientContext context;
    v1::ForecastRequest request;
    v1::ForecastResponse response;
    request.set_model("m");
    request.set_session_id("s");
    request.set_horizon(3);
    EXPECT_TRUE(server_->inference().Forecast(&context, request, &response).ok());
    return std::vector<float>(response.values().begin(), response.values().end());
  };
  const std::vector<float> before = forecast();
  Put(2, Retrained());
  EXPECT_EQ(forecast(), before);
  EXPECT_EQ(VersionOf("s"), 1);
  ExpectStepOf(*second_);
  EXPECT_NE(forecast(), before);
}

TEST_F(AdoptSessionsTest, AnExportedStateIsImportedByItsOwnWeightsOnlyAndThenAdopted) {
  Start(AdoptSessions::kSameShape);
  for (int i = 0; i < 2; ++i) ExpectStepOf(*first_);
  const std::string state = StateOf(server_.get(), "s");
  Put(2, Retrained());
  v1::Session session;
  ASSERT_TRUE(Import(server_.get(), state, "copy", &session).ok());
  EXPECT_EQ(session.version(), 1);
  Remove(1);
  EXPECT_EQ(Import(server_.get(), state, "late", &session).error_code(), grpc::StatusCode::NOT_FOUND);
  v1::PredictRequest request;
  v1::PredictResponse response;
  request.set_model("m");
  AddSequence(&request, "copy", InputOf(2))->set_position(2);
  ASSERT_TRUE(server_->Predict(request, &response).ok());
  EXPECT_EQ(ValuesOf(response.results(0)), computed_.Step(*second_, InputOf(2)));
}

TEST_F(AdoptSessionsTest, UnderALiveStreamThereIsOneStepWhereTheVersionsMeet) {
  Start(AdoptSessions::kSameShape);
  std::future<void> dropping;
  int of_second = 0;
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (of_second < 20) {
    ASSERT_LT(absl::Now(), deadline) << "the new version never went on with the session";
    if (position_ == 20) dropping = std::async(std::launch::async, [this] { Put(2, Retrained()); });
    const std::vector<float> answer = ValuesOf(Ask(position_));
    ComputedSession other = computed_;
    const bool is_of_first = answer == computed_.Step(*first_, InputOf(position_));
    if (!is_of_first) {
      ASSERT_EQ(answer, other.Step(*second_, InputOf(position_))) << "position " << position_;
      computed_ = other;
      ++of_second;
    }
    ASSERT_FALSE(is_of_first && of_second > 0) << "position " << position_;
    ++position_;
  }
  dropping.get();
  EXPECT_EQ(Adopted(), 1);
}

}  // namespace
}  // namespace rondo
