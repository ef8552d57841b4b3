#include "client/client.h"

#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/running_sum_server.h"

namespace rondo {
namespace {

using Fault = RunningSumServer::Fault;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class ClientTest : public testing::Test {
 protected:
  ClientTest() : client_(Connect({})) {}

  Client Connect(ClientOptions options) {
    options.initial_backoff = absl::Milliseconds(1);
    return Client::Connect(server_.address(), options).value();
  }

  RunningSumServer server_;
  Client client_;
};

SequenceInput Steps(std::string session_id, std::vector<float> values) {
  SequenceInput sequence;
  sequence.session_id = std::move(session_id);
  sequence.values = std::move(values);
  return sequence;
}

TEST_F(ClientTest, AddressAndOptionsAreChecked) {
  EXPECT_EQ(Client::Connect("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Client::Connect("a b:1").status().code(), absl::StatusCode::kInvalidArgument);
  ClientOptions options;
  options.max_attempts = 17;
  EXPECT_THAT(std::string(Client::Connect("x:1", options).status().message()), HasSubstr("17"));
  options = {};
  options.timeout = absl::ZeroDuration();
  EXPECT_FALSE(Client::Connect("x:1", options).ok());
  options = {};
  options.keepalive = absl::ZeroDuration();
  EXPECT_THAT(std::string(Client::Connect("x:1", options).status().message()), HasSubstr("keepalive"));
}

// Three sessions that begin with `prefix`.
void CreateThree(const RunningSumServer& server, const std::string& prefix) {
  const Client client = Client::Connect(server.address()).value();
  for (int i = 0; i < 3; ++i) {
    CreateSessionInput input;
    input.model = "sum";
    input.session_id = prefix + std::to_string(i);
    ASSERT_TRUE(client.CreateSession(input).ok());
  }
}

TEST_F(ClientTest, AListingOfSeveralServersStaysOnOne) {
  const RunningSumServer other;
  CreateThree(server_, "here-");
  CreateThree(other, "there-");
  const Client client = Client::Connect(server_.address() + "," + other.address()).value();
  std::vector<std::string> listed;
  std::string token;
  for (int turn = 0; turn < 2; ++turn) {
    do {
      const absl::StatusOr<SessionPage> page = client.ListSessions("", token);
      ASSERT_TRUE(page.ok()) << page.status();
      for (const SessionDescription& session : page->sessions) listed.push_back(session.session_id);
      token = page->next_page_token;
    } while (!token.empty());
  }
  EXPECT_THAT(listed, UnorderedElementsAre("here-0", "here-1", "here-2", "there-0", "there-1", "there-2"));
  for (const char* const strange : {"2:x", "x", ":"}) {
    EXPECT_THAT(std::string(client.ListSessions("", strange).status().message()),
                HasSubstr("wanted one that a client"));
  }
}

TEST_F(ClientTest, SessionsAreDeletedOnEachServer) {
  const RunningSumServer other;
  CreateThree(server_, "old-");
  CreateThree(server_, "young-");
  CreateThree(other, "old-");
  const Client client = Client::Connect(server_.address() + "," + other.address()).value();
  EXPECT_EQ(client.DeleteSessions("old-").value(), 6);
  EXPECT_EQ(client.DeleteSessions("old-").value(), 0);
  EXPECT_EQ(client.DeleteSessions("", "", /*all=*/true).value(), 3);
}

TEST_F(ClientTest, StatelessPredictKeepsNothing) {
  for (int i = 0; i < 2; ++i) {
    const absl::StatusOr<std::vector<float>> sums = client_.Predict("sum", std::vector<float>{1, 2, 3});
    ASSERT_TRUE(sums.ok()) << sums.status();
    EXPECT_THAT(*sums, ElementsAre(1, 3, 6));
  }
}

TEST_F(ClientTest, ARefusalHasTheServersCodeAndText) {
  const absl::Status status = client_.Predict("product", std::vector<float>{1}).status();
  EXPECT_EQ(status, absl::NotFoundError("no model 'product'"));
}

TEST_F(ClientTest, EachOfManySequencesHasItsOwnStatus) {
  std::vector<SequenceInput> sequences = {Steps("a", {5}), Steps("b", {1})};
  sequences[1].position = 3;
  const absl::StatusOr<std::vector<SequenceOutput>> outputs = client_.PredictMany("sum", sequences);
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  ASSERT_EQ(outputs->size(), 2u);
  EXPECT_THAT(outputs->at(0).values, ElementsAre(5));
  EXPECT_EQ(outputs->at(0).next_position, 1);
  EXPECT_EQ(outputs->at(1).status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(outputs->at(1).next_position, 0);
}

TEST_F(ClientTest, ASessionGoesOnWhereItStands) {
  Session session = client_.OpenSession("sum", "a").value();
  EXPECT_EQ(session.position(), 0);
  EXPECT_THAT(session.Step(std::vector<float>{2}).value(), ElementsAre(2));
  EXPECT_THAT(session.Run(std::vector<float>{3, 4}).value(), ElementsAre(5, 9));
  Session again = client_.OpenSession("sum", "a").value();
  EXPECT_EQ(again.position(), 3);
  EXPECT_THAT(again.Step(std::vector<float>{1}).value(), ElementsAre(10));
}

TEST_F(ClientTest, AForkGoesOnIndependently) {
  Session session = client_.OpenSession("sum", "a").value();
  EXPECT_EQ(session.Fork("b").status().code(), absl::StatusCode::kNotFound) << "no step yet";
  ASSERT_TRUE(session.Run(std::vector<float>{2, 3}).ok());
  Session fork = session.Fork("b").value();
  EXPECT_EQ(fork.id(), "b");
  EXPECT_EQ(fork.position(), 2);
  EXPECT_THAT(fork.Step(std::vector<float>{10}).value(), ElementsAre(15));
  EXPECT_THAT(session.Step(std::vector<float>{1}).value(), ElementsAre(6));
}

TEST_F(ClientTest, ASessionIsExported) {
  Session session = client_.OpenSession("sum", "a").value();
  ASSERT_TRUE(session.Run(std::vector<float>{2, 3}).ok());
  const ExportedSession exported = session.Export().value();
  EXPECT_EQ(exported.state, "state of a");
  EXPECT_EQ(exported.session.position, 2);
}

TEST_F(ClientTest, ManySessionsStepInOneMessage) {
  Session a = client_.OpenSession("sum", "a").value();
  Session b = client_.OpenSession("sum", "b").value();
  ASSERT_TRUE(b.Step(std::vector<float>{5}).ok());
  const int calls_before = server_.predict_calls();
  const std::vector<SequenceOutput> outputs =
      client_.StepMany(std::vector<Session*>{&a, &b}, std::vector<float>{1, 2}).value();
  EXPECT_EQ(server_.predict_calls(), calls_before + 1);
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_THAT(outputs[0].values, ElementsAre(1));
  EXPECT_THAT(outputs[1].values, ElementsAre(7));
  EXPECT_EQ(a.position(), 1);
  EXPECT_EQ(b.position(), 2);
}

TEST_F(ClientTest, ASessionThatFailsAmongManyHoldsNoOtherBack) {
  Session a = client_.OpenSession("sum", "a").value();
  Session b = client_.OpenSession("sum", "b").value();
  Session moved = client_.OpenSession("sum", "b").value();
  ASSERT_TRUE(moved.Step(std::vector<float>{5}).ok());
  ASSERT_TRUE(moved.Step(std::vector<float>{5}).ok());
  const std::vector<SequenceOutput> outputs =
      client_.StepMany(std::vector<Session*>{&a, &b}, std::vector<float>{1, 2}).value();
  EXPECT_THAT(outputs[0].values, ElementsAre(1));
  EXPECT_EQ(outputs[1].status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(outputs[1].next_position, 2);
  EXPECT_EQ(b.position(), 0);
  const std::vector<SequenceOutput> alone = client_.StepMany(std::vector<Session*>{&b}, std::vector<float>{2}).value();
  EXPECT_EQ(alone[0].status.code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ClientTest, ManySessionsThatTheServerLostAreCaughtUp) {
  Session a = client_.OpenSession("sum", "a").value();
  Session b = client_.OpenSession("sum", "b").value();
  server_.Save();
  ASSERT_TRUE(client_.StepMany({{&a, &b}}, std::vector<float>{1, 2}).ok());
  ASSERT_TRUE(a.Step(std::vector<float>{1}).ok());
  server_.Crash();
  const std::vector<SequenceOutput> outputs =
      client_.StepMany(std::vector<Session*>{&a, &b}, std::vector<float>{1, 2}).value();
  EXPECT_THAT(outputs[0].values, ElementsAre(3)) << outputs[0].status;
  EXPECT_THAT(outputs[1].values, ElementsAre(4)) << outputs[1].status;
}

TEST_F(ClientTest, WhatManySessionsCannotStepTogetherIsSaid) {
  Session a = client_.OpenSession("sum", "a").value();
  Session b = client_.OpenSession("sum", "b").value();
  Session other = client_.OpenSession("product", "c").value();
  const std::vector<float> two = {1, 2};
  EXPECT_FALSE(client_.StepMany({}, two).ok());
  EXPECT_FALSE(client_.StepMany({{&a, &b}}, std::vector<float>{1, 2, 3}).ok());
  EXPECT_FALSE(client_.StepMany({{&a, &b}}, two, std::vector<int64_t>{1}).ok());
  EXPECT_THAT(std::string(client_.StepMany({{&a, &a}}, two).status().message()), HasSubstr("twice"));
  EXPECT_THAT(std::string(client_.StepMany({{&a, &other}}, two).status().message()), HasSubstr("'c'"));
  EXPECT_EQ(server_.predict_calls(), 0);
}

TEST_F(ClientTest, AnEmptyIdOpensASessionOfTheServers) {
  const Session session = client_.OpenSession("sum").value();
  EXPECT_EQ(session.id(), "made0");
}

// So that a newer version may go on with it.
TEST_F(ClientTest, ASessionNamesNoVersionUnlessItBeginsOrWasOpenedWithOne) {
  const std::vector<float> step = {1};
  Session made = client_.OpenSession("sum").value();
  ASSERT_TRUE(made.Step(step).ok());
  EXPECT_EQ(server_.last_version(), 1) << "it may have ended since, and begins as what it was made as";
  ASSERT_TRUE(made.Step(step).ok());
  EXPECT_EQ(server_.last_version(), 0);
  Session found = client_.OpenSession("sum", made.id()).value();
  EXPECT_EQ(found.version(), 1);
  ASSERT_TRUE(found.Step(step).ok());
  EXPECT_EQ(server_.last_version(), 0);
  Session named = client_.OpenSession("sum", made.id(), 1).value();
  ASSERT_TRUE(named.Step(step).ok());
  EXPECT_EQ(server_.last_version(), 1);
}

TEST_F(ClientTest, ASessionOfAnotherModelIsRefused) {
  Session session = client_.OpenSession("sum", "a").value();
  ASSERT_TRUE(session.Step(std::vector<float>{2}).ok());
  EXPECT_EQ(client_.OpenSession("product", "a").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ClientTest, AStepWhoseReplyIsLostRunsOnce) {
  Session session = client_.OpenSession("sum", "a").value();
  server_.FailNext({Fault::kLoseReply, Fault::kRefuse, Fault::kLoseReply});
  EXPECT_THAT(session.Step(std::vector<float>{2}).value(), ElementsAre(2));
  EXPECT_EQ(server_.predict_calls(), 4);
  EXPECT_EQ(server_.position("a"), 1);
  EXPECT_THAT(session.Step(std::vector<float>{3}).value(), ElementsAre(5));
}

TEST_F(ClientTest, TriesAreBounded) {
  server_.FailNext({Fault::kRefuse, Fault::kRefuse, Fault::kRefuse, Fault::kRefuse, Fault::kRefuse});
  EXPECT_EQ(client_.Predict("sum", std::vector<float>{2}).status(), absl::UnavailableError("draining"));
  EXPECT_EQ(server_.predict_calls(), 4);
}

TEST_F(ClientTest, OneAttemptIsOne) {
  ClientOptions options;
  options.max_attempts = 1;
  Session session = Connect(options).OpenSession("sum", "a").value();
  server_.FailNext({Fault::kRefuse});
  EXPECT_EQ(session.Step(std::vector<float>{2}).status(), absl::UnavailableError("draining"));
  EXPECT_EQ(session.position(), 0);
}

TEST_F(ClientTest, AStepWithoutPositionIsNotRepeated) {
  server_.FailNext({Fault::kLoseReply});
  const std::vector<SequenceInput> sequences = {Steps("a", {5})};
  EXPECT_EQ(client_.PredictMany("sum", sequences).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server_.position("a"), 1);
}

TEST_F(ClientTest, AStepWithoutPositionIsSentAgainWhenTheServerPushesBack) {
  server_.FailNext({Fault::kPushBack});
  const std::vector<SequenceInput> sequences = {Steps("a", {5})};
  EXPECT_TRUE(client_.PredictMany("sum", sequences).ok());
  EXPECT_EQ(server_.position("a"), 1);
}

TEST_F(ClientTest, APushbackPastTheDeadlineIsAnsweredAtOnce) {
  server_.FailNext({Fault::kPushBackFar});
  EXPECT_EQ(client_.Predict("sum", std::vector<float>{1}).status(), absl::ResourceExhaustedError("queue full"));
  EXPECT_EQ(server_.predict_calls(), 1);
}

TEST_F(ClientTest, ALimitIsNotTriedAgain) {
  server_.FailNext({Fault::kLimit});
  EXPECT_EQ(client_.Predict("sum", std::vector<float>{1}).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(server_.predict_calls(), 1);
}

TEST_F(ClientTest, AStepPastItsDeadlineCanBeCalledAgain) {
  ClientOptions options;
  options.timeout = absl::Milliseconds(300);
  Session session = Connect(options).OpenSession("sum", "a").value();
  server_.FailNext({Fault::kHoldReply});
  EXPECT_EQ(session.Step(std::vector<float>{2}).status().code(), absl::StatusCode::kDeadlineExceeded);
  server_.Release();
  EXPECT_THAT(session.Step(std::vector<float>{2}).value(), ElementsAre(2));
  EXPECT_EQ(server_.position("a"), 1);
}

TEST_F(ClientTest, SyncTakesOverTheServersPosition) {
  Session one = client_.OpenSession("sum", "a").value();
  Session other = client_.OpenSession("sum", "a").value();
  ASSERT_TRUE(one.Step(std::vector<float>{2}).ok());
  ASSERT_TRUE(one.Step(std::vector<float>{2}).ok());
  ASSERT_TRUE(other.Sync().ok());
  EXPECT_EQ(other.position(), 2);
  EXPECT_THAT(other.Step(std::vector<float>{1}).value(), ElementsAre(5));
}

TEST_F(ClientTest, AnInfiniteIdleTimeoutIsZeroOnTheWire) {
  CreateSessionInput input;
  input.model = "sum";
  input.session_id = "a";
  input.idle_timeout = absl::InfiniteDuration();
  EXPECT_EQ(client_.CreateSession(input)->idle_timeout, absl::InfiniteDuration());
  input.idle_timeout = absl::Milliseconds(1500);
  EXPECT_EQ(client_.CreateSession(input)->idle_timeout, absl::Milliseconds(1500));
}

TEST_F(ClientTest, AStreamAnswersInOrderAndOutlivesARefusedMessage) {
  PredictStream stream = client_.OpenStream("sum");
  const std::vector<SequenceInput> sequences = {Steps("a", {1}), Steps("b", {10})};
  ASSERT_TRUE(stream.Write(sequences));
  ASSERT_TRUE(stream.Write({}));
  ASSERT_TRUE(stream.Write(sequences));
  stream.DoneWriting();
  StreamReply reply;
  ASSERT_TRUE(stream.Read(&reply));
  EXPECT_THAT(reply.sequences.at(1).values, ElementsAre(10));
  ASSERT_TRUE(stream.Read(&reply));
  EXPECT_EQ(reply.status, absl::InvalidArgumentError("0 sequences"));
  ASSERT_TRUE(stream.Read(&reply));
  EXPECT_TRUE(reply.status.ok());
  EXPECT_THAT(reply.sequences.at(0).values, ElementsAre(2));
  EXPECT_FALSE(stream.Read(&reply));
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ClientTest, AReadThatTimesOutLeavesTheStreamUsable) {
  PredictStream stream = client_.OpenStream("sum");
  StreamReply reply;
  EXPECT_EQ(stream.Read(&reply, absl::Milliseconds(20)).status().code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(stream.Write({{Steps("a", {1})}}));
  ASSERT_TRUE(stream.Read(&reply, absl::Seconds(30)).value());
  EXPECT_THAT(reply.sequences.at(0).values, ElementsAre(1));
  EXPECT_EQ(stream.Read(&reply, absl::Milliseconds(1)).status().code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(stream.Write({{Steps("a", {2})}}));
  ASSERT_TRUE(stream.Read(&reply)) << "the reply that the timed read waits for";
  EXPECT_THAT(reply.sequences.at(0).values, ElementsAre(3));
  stream.DoneWriting();
  EXPECT_FALSE(stream.Read(&reply, absl::Seconds(30)).value());
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ClientTest, AStreamThatIsDroppedWhileAReadWaitsIsCancelled) {
  PredictStream stream = client_.OpenStream("sum");
  StreamReply reply;
  EXPECT_FALSE(stream.Read(&reply, absl::Milliseconds(1)).ok());
}

TEST_F(ClientTest, AStreamThatIsDroppedIsCancelled) {
  PredictStream stream = client_.OpenStream("sum");
  const std::vector<SequenceInput> sequences = {Steps("a", {1})};
  ASSERT_TRUE(stream.Write(sequences));
}

TEST_F(ClientTest, NobodyListeningIsUnavailable) {
  std::string address;
  { address = RunningSumServer().address(); }
  ClientOptions options;
  options.max_attempts = 2;
  options.initial_backoff = absl::Milliseconds(1);
  const Client client = Client::Connect(address, options).value();
  EXPECT_EQ(client.ListModels().status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace rondo
