// Predict against a real server, over a real connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/integration/predict_fixture.h"

namespace rondo {
namespace {

using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using ::testing::SizeIs;

TEST_F(PredictTest, AnswersWhatTheReferenceCellSays) {
  const std::vector<float> values = RandomValues(50 * 3, 1);
  ASSERT_TRUE(Predict(RequestOf("", values)).ok());
  EXPECT_THAT(ValuesOf(response_.results(0)), Pointwise(FloatNear(1e-5f), ReferenceOutputs(model_, values)));
}

TEST_F(PredictTest, StepByStepIsBitForBitTheWholeSequence) {
  const std::vector<float> values = RandomValues(30 * 3, 2);
  ASSERT_TRUE(Predict(RequestOf("", values)).ok());
  const std::vector<float> whole = ValuesOf(response_.results(0));
  std::vector<float> steps;
  for (int64_t t = 0; t < 30; ++t) {
    const std::vector<float> out = Step("s", t, {values.begin() + t * 3, values.begin() + t * 3 + 3});
    EXPECT_EQ(response_.results(0).next_position(), t + 1);
    steps.insert(steps.end(), out.begin(), out.end());
  }
  EXPECT_EQ(steps, whole);
}

TEST_F(PredictTest, LastOnlyAnswersTheLastTimestep) {
  v1::PredictRequest request = RequestOf("", RandomValues(5 * 3, 3));
  ASSERT_TRUE(Predict(request).ok());
  const std::vector<float> all = ValuesOf(response_.results(0));
  request.set_last_only(true);
  ASSERT_TRUE(Predict(request).ok());
  EXPECT_EQ(ValuesOf(response_.results(0)), std::vector<float>(all.end() - 3, all.end()));
}

TEST_F(PredictTest, TheLastRequestAgainGetsItsReplyAgainAndMovesNothing) {
  const std::vector<float> first = Step("s", 0, RandomValues(3, 1));
  const std::vector<float> second = Step("s", 1, RandomValues(3, 2));
  EXPECT_EQ(Step("s", 1, RandomValues(3, 2)), second);
  EXPECT_EQ(response_.results(0).next_position(), 2);
  EXPECT_NE(first, second);
  EXPECT_EQ(server_.Metric("rondo_steps_total{model=\"lstm\"}"), 2);
}

TEST_F(PredictTest, AnyOtherPositionIsRefusedWithTheExpectedOne) {
  Step("s", 0, RandomValues(6, 1));
  for (const int64_t wrong : {0, 1, 3, -1}) {
    v1::PredictRequest request = RequestOf("s", RandomValues(3, 9));
    request.mutable_sequences(0)->set_position(wrong);
    grpc::ClientContext context;
    const grpc::Status status = server_.inference().Predict(&context, request, &response_);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION) << wrong;
    EXPECT_THAT(status.error_message(), HasSubstr("expects position 2"));
    const auto trailer = context.GetServerTrailingMetadata().find("rondo-next-position");
    ASSERT_NE(trailer, context.GetServerTrailingMetadata().end());
    EXPECT_EQ(trailer->second, "2");
  }
  Step("s", 2, RandomValues(3, 2));  // nothing has changed
}

TEST_F(PredictTest, EachSequenceOfAMessageHasItsOwnStatus) {
  v1::PredictRequest request = RequestOf("", RandomValues(3, 1));
  AddSequence(&request, "", RandomValues(4, 1));
  AddSequence(&request, "nobody", RandomValues(3, 1));
  AddSequence(&request, "", RandomValues(3, 1));
  ASSERT_TRUE(Predict(request).ok());
  ASSERT_THAT(response_.results(), SizeIs(4));
  EXPECT_FALSE(response_.results(0).has_status());
  EXPECT_EQ(response_.results(1).status().code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(response_.results(1).values(), SizeIs(0));
  EXPECT_EQ(response_.results(2).status().code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ValuesOf(response_.results(3)), ValuesOf(response_.results(0)));
}

TEST_F(PredictTest, OneSessionTwiceInAMessageRunsInOrder) {
  const std::vector<float> values = RandomValues(6, 4);
  ASSERT_TRUE(Predict(RequestOf("", values)).ok());
  const std::vector<float> whole = ValuesOf(response_.results(0));
  v1::PredictRequest request = RequestOf("s", {values.begin(), values.begin() + 3});
  AddSequence(&request, "s", {values.begin() + 3, values.end()})->set_position(1);
  request.mutable_sequences(0)->set_position(0);
  ASSERT_TRUE(Predict(request).ok());
  ASSERT_FALSE(response_.results(1).has_status()) << response_.results(1).status().message();
  EXPECT_EQ(ValuesOf(response_.results(1)), std::vector<float>(whole.begin() + 3, whole.end()));
}

TEST_F(PredictTest, EndSessionEndsItAndSaysSoAfterwards) {
  Step("s", 0, RandomValues(3, 1));
  v1::PredictRequest last = RequestOf("s", RandomValues(3, 2));
  last.mutable_sequences(0)->set_end_session(true);
  ASSERT_TRUE(Predict(last).ok());
  const grpc::Status status = Predict(RequestOf("s", RandomValues(3, 3)));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("by its owner"));
}

TEST_F(PredictTest, ASessionOfAnotherModelIsRefused) {
  Step("s", 0, RandomValues(3, 1));
  v1::PredictRequest request = RequestOf("s", RandomValues(2, 1));
  request.set_model("gru");
  const grpc::Status status = Predict(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("runs model 'lstm'"));
}

struct BadRequest {
  std::string name;
  std::function<void(v1::PredictRequest*)> change;
  grpc::StatusCode code;
  std::string message;
};

TEST_F(PredictTest, BadRequestsSayWhatCameAndWhatWasWantedAndChangeNothing) {
  Step("s", 0, RandomValues(3, 1));
  const auto values = [](v1::PredictRequest* request) { return request->mutable_sequences(0)->mutable_values(); };
  const std::vector<BadRequest> cases = {
      {"no model", [](auto* r) { r->set_model("none"); }, grpc::StatusCode::NOT_FOUND, "none"},
      {"no version", [](auto* r) { r->set_version(9); }, grpc::StatusCode::NOT_FOUND, "9"},
      {"negative version", [](auto* r) { r->set_version(-1); }, grpc::StatusCode::NOT_FOUND, "-1"},
      {"no sequences", [](auto* r) { r->clear_sequences(); }, grpc::StatusCode::INVALID_ARGUMENT, "has 0 sequences"},
      {"no values", [&](auto* r) { values(r)->Clear(); }, grpc::StatusCode::INVALID_ARGUMENT, "values has 0 floats"},
      {"half a timestep", [&](auto* r) { values(r)->Add(1); }, grpc::StatusCode::INVALID_ARGUMENT,
       "values has 4 floats; model 'lstm' takes a multiple of input_size=3"},
      {"NaN", [&](auto* r) { values(r)->Set(1, std::numeric_limits<float>::quiet_NaN()); },
       grpc::StatusCode::INVALID_ARGUMENT, "values[1] (timestep 0, input 'b') is nan"},
      {"infinity", [&](auto* r) { values(r)->Set(2, std::numeric_limits<float>::infinity()); },
       grpc::StatusCode::INVALID_ARGUMENT, "is inf"},
      {"too long", [&](auto* r) { values(r)->Resize(3 * 10'001, 0); }, grpc::StatusCode::INVALID_ARGUMENT,
       "10001 timesteps; at most 10000"},
      {"times of another length",
       [](auto* r) { r->mutable_sequences(0)->add_times(1), r->mutable_sequences(0)->add_times(2); },
       grpc::StatusCode::INVALID_ARGUMENT, "times has 2 entries"},
      {"id with a space", [](auto* r) { r->mutable_sequences(0)->set_session_id("a b"); },
       grpc::StatusCode::INVALID_ARGUMENT, "session"},
      {"id too long", [](auto* r) { r->mutable_sequences(0)->set_session_id(std::string(129, 'x')); },
       grpc::StatusCode::INVALID_ARGUMENT, "129"},
      {"unknown session", [](auto* r) { r->mutable_sequences(0)->set_session_id("t"); }, grpc::StatusCode::NOT_FOUND,
       "'t'"},
      {"end of no session",
       [](auto* r) { r->mutable_sequences(0)->clear_session_id(), r->mutable_sequences(0)->set_end_session(true); },
       grpc::StatusCode::INVALID_ARGUMENT, "end_session"},
      {"negative timeout", [](auto* r) { r->set_timeout_ms(-1); }, grpc::StatusCode::INVALID_ARGUMENT,
       "timeout_ms is -1"},
      {"position past the end",
       [](auto* r) { r->mutable_sequences(0)->set_position(std::numeric_limits<int64_t>::max()); },
       grpc::StatusCode::FAILED_PRECONDITION, "expects position 1"},
  };
  for (const BadRequest& bad : cases) {
    v1::PredictRequest request = RequestOf("s", RandomValues(3, 2));
    bad.change(&request);
    const grpc::Status status = Predict(request);
    EXPECT_EQ(status.error_code(), bad.code) << bad.name << ": " << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(bad.message)) << bad.name;
  }
  Step("s", 1, RandomValues(3, 2));
}

TEST_F(PredictTest, AMessageOverTheLimitIsRefused) {
  const grpc::Status status = Predict(RequestOf("", RandomValues(2'000'000, 1)));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(PredictTest, AnExpiredMessageIsNotRun) {
  v1::PredictRequest request = RequestOf("s", RandomValues(30'000, 1));
  request.mutable_sequences(0)->set_position(0);
  request.set_timeout_ms(1);
  const grpc::Status status = Predict(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << status.error_message();
  v1::GetSessionRequest get;
  get.set_session_id("s");
  v1::Session session;
  grpc::ClientContext context;
  EXPECT_EQ(server_.sessions().GetSession(&context, get, &session).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(PredictTest, AFullQueueIsAFastClearError) {
  TestServer small({{"lstm", model_}}, [](ServerOptions* options) {
    options->loops.active_set.max_active = 1;
    options->loops.active_set.max_queued = 0;
  });
  v1::PredictRequest request;
  request.set_model("lstm");
  for (int i = 0; i < 3; ++i) AddSequence(&request, "", RandomValues(3, 1));
  ASSERT_TRUE(small.Predict(request, &response_).ok());
  EXPECT_FALSE(response_.results(0).has_status());
  EXPECT_EQ(response_.results(1).status().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_GT(response_.results(1).status().retry_after_ms(), 0);
  EXPECT_GE(small.Metric("rondo_rejected_total{reason=\"queue_full\"}"), 2);
}

}  // namespace
}  // namespace rondo
