#include "server/serve/sequence_task.h"

#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "tests/unit/serve/serve_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using SequenceTaskTest = ServeFixture;

TEST_F(SequenceTaskTest, TheNextPositionRunsAndMovesTheSession) {
  EXPECT_EQ(Run(Of("s", 0, three_steps_)).next_position, 3);
  const SequenceResult result = Run(Of("s", 3, one_));
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.next_position, 4);
  EXPECT_THAT(last_values_, ElementsAre(7));
  EXPECT_EQ(result.durable_position, std::nullopt);  // there is no store
}

TEST_F(SequenceTaskTest, TheLastRequestAgainIsAnsweredAgainAndMovesNothing) {
  Run(Of("s", 0, one_));
  Run(Of("s", 1, three_steps_));
  const SequenceResult again = Run(Of("s", 1, three_steps_));
  EXPECT_EQ(again.next_position, 4);
  EXPECT_EQ(again.timesteps, 3u);
  EXPECT_EQ(again.version, 2);
  EXPECT_THAT(last_values_, ElementsAre(2, 4, 7));
  EXPECT_EQ(sessions_.Get("s", now_)->position, 4);
}

TEST_F(SequenceTaskTest, AnotherPositionIsRefusedWithTheOneThatIsExpected) {
  Run(Of("s", 0, three_steps_));
  for (const int64_t position :
       {int64_t{0}, int64_t{2}, int64_t{4}, int64_t{-1}, std::numeric_limits<int64_t>::max()}) {
    const SequenceResult result = Run(Of("s", position, one_));
    ExpectRefused(result.status, Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0, 3);
    EXPECT_EQ(result.next_position, 3);
    EXPECT_EQ(result.durable_position, std::nullopt);
  }
  EXPECT_THAT(std::string(Run(Of("s", 9, one_)).status.message()),
              HasSubstr("expects position 3; the request starts at 9"));
}

TEST_F(SequenceTaskTest, AnUnknownSessionIsNotFoundUnlessItBeginsAtZero) {
  const SequenceResult unknown = Run(Of("s", 1, one_));
  ExpectRefused(unknown.status, Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0);
  EXPECT_EQ(unknown.durable_position, std::nullopt);
  ExpectRefused(Run(Of("s", std::nullopt, one_)).status, Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0);
  EXPECT_TRUE(Run(Of("s", 0, one_)).status.ok());
}

TEST_F(SequenceTaskTest, ASessionThatEndedByRequestSaysSo) {
  SequenceView last = Of("s", 0, one_);
  last.end_session = true;
  EXPECT_EQ(Run(last).next_position, 1);
  const SequenceResult gone = Run(Of("s", 1, one_));
  ExpectRefused(gone.status, Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0);
  EXPECT_EQ(gone.status.message(), "session 's' ended: ended by its owner");
}

TEST_F(SequenceTaskTest, ValuesThatTheModelDoesNotTakeAreInvalidAndCreateNoSession) {
  const std::vector<float> nan = {std::numeric_limits<float>::quiet_NaN()};
  ExpectRefused(Run(Of("s", 0, nan)).status, Why::kInvalid, "invalid", absl::StatusCode::kInvalidArgument, 0);
  ExpectRefused(Run(Of("bad id", 0, one_)).status, Why::kInvalid, "invalid", absl::StatusCode::kInvalidArgument, 0);
  EXPECT_EQ(sessions_.size(), 0u);
}

TEST_F(SequenceTaskTest, AResultThatIsNotFiniteIsInvalidAndLeavesTheSessionAsItWas) {
  Run(Of("s", 0, one_));
  const std::vector<float> huge = {3e38f, 3e38f};
  const SequenceResult result = Run(Of("s", 1, huge));
  ExpectRefused(result.status, Why::kInvalid, "invalid", absl::StatusCode::kOutOfRange, 0);
  EXPECT_EQ(result.next_position, 0);
  Run(Of("s", 1, one_));
  EXPECT_THAT(last_values_, ElementsAre(2));
}

TEST_F(SequenceTaskTest, ASequenceThatExpiresIsNotRun) {
  Run(Of("s", 0, one_));
  const SequenceResult result = Run(Of("s", 1, one_), RequestOf("sum"), now_ - absl::Seconds(1));
  ExpectRefused(result.status, Why::kDeadline, "deadline", absl::StatusCode::kDeadlineExceeded, 0);
  EXPECT_EQ(sessions_.Get("s", now_)->position, 1);
}

TEST_F(SequenceTaskTest, ASequenceWaitsForTheSessionThatAnotherHas) {
  TestExchange first_exchange, second_exchange;
  Message first(&context_, Method::kStreamPredict, &first_exchange);
  Message second(&context_, Method::kStreamPredict, &second_exchange);
  Start({Of("s", 0, three_steps_)}, &first, &first_exchange);
  Start({Of("s", 3, one_)}, &second, &second_exchange);
  engine_.RunBatch();
  EXPECT_TRUE(second.running());
  RunUntilIdle();
  EXPECT_THAT(second_exchange.values[0], ElementsAre(7));
}

TEST_F(SequenceTaskTest, OneThatIsCancelledAsItGetsTheSessionPassesItOn) {
  SessionLease held = Hold("s");
  TestExchange exchange;
  Message message(&context_, Method::kStreamPredict, &exchange);
  Start({Of("s", 0, one_)}, &message, &exchange);
  held = SessionLease();  // the lease is on its way
  message.Cancel();
  RunUntilIdle();
  ExpectRefused(exchange.results[0]->status, Why::kCancelled, "cancelled", absl::StatusCode::kCancelled, 0);
  EXPECT_TRUE(Run(Of("s", 0, one_)).status.ok());
}

TEST_F(SequenceTaskTest, ARequestThatNamesAnotherModelOrVersionIsRefused) {
  RequestView request = RequestOf("sum");
  request.version = 1;
  Run(Of("s", 0, one_), request);
  EXPECT_EQ(Run(Of("s", 1, one_)).version, 1);  // the session's own
  request.version = 2;
  const SequenceResult version = Run(Of("s", 2, one_), request);
  ExpectRefused(version.status, Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0, 2);
  EXPECT_THAT(std::string(version.status.message()),
              HasSubstr("runs model 'sum' version 1; the request names 'sum' version 2"));
  const SequenceResult model = Run(Of("s", 2, one_), RequestOf("other"));
  ExpectRefused(model.status, Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0, 2);
}

TEST_F(SequenceTaskTest, ASessionAnewBeginsAtZeroButNeverOnAnotherModel) {
  Run(Of("s", 0, three_steps_));
  RequestView anew = RequestOf("sum");
  anew.terms.anew = true;
  EXPECT_EQ(Run(Of("s", std::nullopt, two_), anew).next_position, 1);
  EXPECT_THAT(last_values_, ElementsAre(2));
  EXPECT_EQ(Run(Of("new", std::nullopt, two_), anew).next_position, 1);
  anew.model = "other";
  const SequenceResult result = Run(Of("s", std::nullopt, two_), anew);
  ExpectRefused(result.status, Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0);
  EXPECT_THAT(std::string(result.status.message()),
              HasSubstr("is live on model 'sum'; the request starts it on 'other'"));
}

// The sum of two inputs as version 3 of a model that took one.
ModelFile TwoInputs() {
  ModelFile model = SumModel();
  model.spec.inputs.push_back({"z", 0, 1});
  model.weights.layers[0] = {{1, 1}, {1}, {0}, {0}};
  return model;
}

TEST_F(SequenceTaskTest, ALiveSessionIsCheckedAgainstItsOwnModelWhateverTheNewestTakes) {
  Run(Of("s", 0, one_));
  Put("sum/3", TwoInputs());
  ASSERT_TRUE(registry_->Reload().ok());
  EXPECT_EQ(Run(Of("s", 1, one_)).version, 2);
  EXPECT_EQ(Run(Of("s", std::nullopt, three_steps_)).version, 2);
  EXPECT_EQ(Run(Of("t", 0, {1, 1})).version, 3);
  ASSERT_TRUE(Run(Of("u", 0, {1, 1})).status.ok());
  // The first request again, which could as well begin a session.
  EXPECT_TRUE(Run(Of("v", 0, {2, 2})).status.ok());
  EXPECT_TRUE(Run(Of("v", 0, {2, 2})).status.ok());
  const SequenceResult wrong = Run(Of("t", 1, one_));
  ExpectRefused(wrong.status, Why::kInvalid, "invalid", absl::StatusCode::kInvalidArgument, 0);
  EXPECT_THAT(std::string(wrong.status.message()), HasSubstr("takes a multiple of input_size=2"));
  for (const std::optional<int64_t> position : {std::optional<int64_t>(0), std::optional<int64_t>()}) {
    ExpectRefused(Run(Of("new", position, one_)).status, Why::kInvalid, "invalid", absl::StatusCode::kInvalidArgument,
                  0);
  }
}

TEST_F(SequenceTaskTest, ARequestThatItsModelReadsIsReadAnewByTheSessionsOwn) {
  struct ByModel : TestExchange {
    absl::Status ReadFor(size_t, const Model& model, SequenceView* sequence) override {
      sequence->values = absl::MakeConstSpan(numbers).first(static_cast<size_t>(model.spec().input_size()));
      return absl::OkStatus();
    }
    std::vector<float> numbers = {1, 1};
  };
  Run(Of("s", 0, one_));
  Put("sum/3", TwoInputs());
  ASSERT_TRUE(registry_->Reload().ok());
  RequestView request = RequestOf("sum", 2);
  request.terms.read_by_model = true;
  ByModel exchange;
  exchange.sequences = {Of("s", std::nullopt, {}), Of("t", 0, {})};
  Message message(&context_, Method::kStreamPredict, &exchange);
  message.Start(request, now_, absl::InfiniteFuture());
  RunUntilIdle();
  EXPECT_EQ(exchange.results[0]->version, 2);
  EXPECT_THAT(exchange.values[0], ElementsAre(2));
  EXPECT_EQ(exchange.results[1]->version, 3);
  EXPECT_THAT(exchange.values[1], ElementsAre(2));
}

TEST_F(SequenceTaskTest, ASessionGoesOnWhenItsModelHasLeftAndNoneBeginsOnIt) {
  Run(Of("s", 0, one_));
  std::filesystem::remove_all(root_ / "sum");
  registry_->Reload().IgnoreError();
  ASSERT_FALSE(registry_->Find("sum", 0).ok());
  EXPECT_EQ(Run(Of("s", 1, two_)).version, 2);
  EXPECT_THAT(last_values_, ElementsAre(3));
  RequestView named = RequestOf("sum");
  named.version = 2;
  EXPECT_EQ(Run(Of("s", 2, two_), named).version, 2);
  TestExchange exchange;
  Message message(&context_, Method::kStreamPredict, &exchange);
  Start({Of("s", 3, one_), Of("new", 0, one_)}, &message, &exchange);
  RunUntilIdle();
  EXPECT_TRUE(exchange.results[0]->status.ok());
  ExpectRefused(exchange.results[1]->status, Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0);
}

TEST_F(SequenceTaskTest, AnotherVersionGoesOnWithASessionOnlyIfItMay) {
  RequestView request = RequestOf("sum");
  request.version = 1;
  Run(Of("s", 0, one_), request);
  EXPECT_EQ(Run(Of("s", 1, one_)).version, 1);
  context_.adopt_sessions = AdoptSessions::kSameShape;
  EXPECT_EQ(Run(Of("s", 1, one_)).version, 1);  // the last request again: by the version that ran it
  EXPECT_EQ(Run(Of("s", 2, one_)).version, 2);
  EXPECT_THAT(last_values_, ElementsAre(3));
}

// Room for one sequence that runs, one session, and one request that waits for it.
class CrowdedTest : public ServeFixture {
 protected:
  CrowdedTest() : ServeFixture({1, 0}, SmallTable()) {}

  static SessionTable::Options SmallTable() {
    SessionTable::Options options;
    options.max_sessions = 1;
    options.max_queue_per_session = 1;
    return options;
  }
};

TEST_F(CrowdedTest, WhatTheLoopHasNoRoomForIsRefusedWithAdvice) {
  TestExchange exchange;
  Message message(&context_, Method::kStreamPredict, &exchange);
  Start({Of("s", 0, one_)}, &message, &exchange);
  const SequenceResult result = Run(Of("", std::nullopt, one_));
  ExpectRefused(result.status, Why::kQueueFull, "queue_full", absl::StatusCode::kResourceExhausted, 100);
}

TEST_F(CrowdedTest, AQueueOfOneSessionThatIsFullIsRefusedWithAdvice) {
  TestExchange exchange;
  Message message(&context_, Method::kStreamPredict, &exchange);
  Start({Of("s", 0, one_), Of("s", 1, one_), Of("s", 2, one_)}, &message, &exchange);
  ExpectRefused(exchange.results[2]->status, Why::kQueueFull, "queue_full", absl::StatusCode::kResourceExhausted, 100);
  RunUntilIdle();
  EXPECT_TRUE(exchange.results[1]->status.ok());
}

TEST_F(CrowdedTest, ASessionTooManyIsRefusedWithAdvice) {
  Run(Of("s", 0, one_));
  const SequenceResult result = Run(Of("t", 0, one_));
  ExpectRefused(result.status, Why::kSessionsFull, "sessions_full", absl::StatusCode::kResourceExhausted, 100);
}

}  // namespace
}  // namespace rondo
