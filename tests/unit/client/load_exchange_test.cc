#include <deque>
#include <map>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/load_conversation.h"

namespace rondo::load {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(NativeExchangeTest, PositionsFollowTheTimestepsAndMessagesInFlight) {
  NativeConversation native(NativeShape(2, 3));
  const v1::PredictRequest first = native.Next();
  EXPECT_EQ(first.sequences(0).session_id(), "load-fedcba9876543210-5-0");
  EXPECT_EQ(first.sequences(1).session_id(), "load-fedcba9876543210-5-1");
  EXPECT_EQ(first.sequences(1).position(), 0);
  EXPECT_EQ(first.sequences(0).values_size(), 6);
  EXPECT_EQ(first.version(), 3);
  const v1::PredictRequest second = native.Next(1);
  EXPECT_EQ(second.sequences(1).position(), 3);
  EXPECT_EQ(native.Answer(ReplyTo(first, 3)).error, "");
  EXPECT_EQ(native.Next(1).sequences(0).position(), 6);
  EXPECT_EQ(native.Answer(ReplyTo(second, 3)).error, "");
}

TEST(NativeExchangeTest, AWrongReplyIsAnError) {
  NativeConversation native(NativeShape(2, 1));
  v1::PredictResponse reply = ReplyTo(native.Next(), 1);
  reply.mutable_results(1)->add_values(1);
  EXPECT_EQ(native.Answer(reply).message, "reply has 2 values; expected 1");
  reply = ReplyTo(native.Next(), 1);
  reply.mutable_results(0)->set_next_position(9);
  EXPECT_EQ(native.Answer(reply).message, "reply has next_position 9; expected 2");
  reply = ReplyTo(native.Next(), 1);
  reply.mutable_results()->RemoveLast();
  const Verdict verdict = native.Answer(reply);
  EXPECT_EQ(verdict.error, "WRONG_REPLY");
  EXPECT_EQ(verdict.message, "reply has 1 results; the message had 2 sequences");
}

TEST(NativeExchangeTest, ARefusedMessageIsSentAgainAtTheSamePosition) {
  NativeConversation native(NativeShape(1, 1));
  native.Next();
  v1::PredictResponse refused;
  refused.mutable_status()->set_code(8);
  refused.mutable_status()->set_message("queue is full");
  const Verdict verdict = native.Answer(refused);
  EXPECT_EQ(verdict.error, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(verdict.message, "queue is full");
  EXPECT_EQ(native.Next().sequences(0).position(), 0);
}

TEST(NativeExchangeTest, TheExpectedPositionOfARefusalIsUsedNext) {
  NativeConversation native(NativeShape(1, 1));
  native.Next();
  v1::PredictResponse reply;
  reply.add_results()->mutable_status()->set_code(9);
  reply.mutable_results(0)->set_next_position(17);
  EXPECT_EQ(native.Answer(reply).error, "FAILED_PRECONDITION");
  EXPECT_EQ(native.Next().sequences(0).position(), 17);
}

TEST(NativeExchangeTest, StatelessSequencesHaveNoSessionAndNoPosition) {
  MessageShape shape = NativeShape(2, 1);
  shape.stateless = true;
  NativeConversation native(shape);
  const v1::PredictRequest request = native.Next();
  EXPECT_EQ(request.sequences(0).session_id(), "");
  EXPECT_FALSE(request.sequences(0).has_position());
  EXPECT_EQ(native.Answer(ReplyTo(request, 1)).error, "");
  EXPECT_THAT(native.exchange().SessionIds(), IsEmpty());
}

TEST(NativeExchangeTest, OnlySessionsThatMayLiveOnTheServerAreNamed) {
  NativeConversation native(NativeShape(2, 1));
  EXPECT_THAT(native.exchange().SessionIds(), IsEmpty());
  native.Next();
  EXPECT_THAT(native.exchange().SessionIds(), ElementsAre("load-fedcba9876543210-5-0", "load-fedcba9876543210-5-1"));
}

TEST(NativeExchangeTest, TokenModelsGetTokenIdsAndCalendarModelsGetTimes) {
  MessageShape shape = NativeShape(1, 50);
  shape.model.set_input_size(1);
  shape.model.set_tokens(7);
  shape.model.set_needs_times(true);
  shape.model.set_step_seconds(60);
  const v1::Sequence sequence = NativeConversation(shape).Next().sequences(0);
  ASSERT_EQ(sequence.values_size(), 50);
  for (const float value : sequence.values()) {
    EXPECT_EQ(value, static_cast<float>(static_cast<int>(value)));
    EXPECT_GE(value, 0);
    EXPECT_LT(value, 7);
  }
  ASSERT_EQ(sequence.times_size(), 50);
  EXPECT_EQ(sequence.times(1) - sequence.times(0), 60);
}

MessageShape PooledShape(int64_t pool, int sessions, int timesteps) {
  MessageShape shape = NativeShape(sessions, timesteps);
  shape.lane_sessions = pool;
  return shape;
}

// Sends and answers messages until every session of the pool exists.
void CreateAll(NativeConversation* pooled, int timesteps) {
  while (pooled->exchange().creating()) {
    EXPECT_EQ(pooled->Answer(ReplyTo(pooled->Next(), timesteps)).error, "");
  }
}

TEST(PooledExchangeTest, EverySessionIsCreatedInTurnBeforeAnyIsDrawn) {
  NativeConversation pooled(PooledShape(5, 2, 1));
  std::map<std::string, int64_t> first_positions;
  while (pooled.exchange().creating()) {
    const v1::PredictRequest request = pooled.Next();
    for (const v1::Sequence& sequence : request.sequences()) {
      first_positions.emplace(sequence.session_id(), sequence.position());
    }
    EXPECT_EQ(pooled.Answer(ReplyTo(request, 1)).error, "");
  }
  EXPECT_THAT(first_positions, SizeIs(5));
  EXPECT_THAT(first_positions, Each(Pair(_, 0)));
  EXPECT_EQ(first_positions.begin()->first, "load-fedcba9876543210-5-0");
  EXPECT_THAT(pooled.exchange().SessionIds(), SizeIs(5));
}

TEST(PooledExchangeTest, EachSessionGoesOnAtItsOwnPosition) {
  NativeConversation pooled(PooledShape(7, 2, 3));
  std::map<std::string, int64_t> positions;
  for (int message = 0; message < 200; ++message) {
    const v1::PredictRequest request = pooled.Next();
    for (const v1::Sequence& sequence : request.sequences()) {
      EXPECT_EQ(sequence.position(), positions[sequence.session_id()]) << sequence.session_id();
      positions[sequence.session_id()] += 3;
    }
    EXPECT_EQ(pooled.Answer(ReplyTo(request, 3)).error, "");
  }
}

TEST(PooledExchangeTest, SessionsAreDrawnUniformly) {
  NativeConversation pooled(PooledShape(10, 1, 1));
  CreateAll(&pooled, 1);
  std::map<std::string, int> drawn;
  for (int message = 0; message < 10'000; ++message) {
    const v1::PredictRequest request = pooled.Next();
    ++drawn[request.sequences(0).session_id()];
    pooled.Answer(ReplyTo(request, 1));
  }
  EXPECT_THAT(drawn, SizeIs(10));
  EXPECT_THAT(drawn, Each(Pair(_, AllOf(Gt(900), Lt(1100)))));
}

TEST(PooledExchangeTest, NoSessionIsInTwoUnansweredSequences) {
  NativeConversation pooled(PooledShape(16, 2, 1));
  CreateAll(&pooled, 1);
  std::deque<v1::PredictRequest> unanswered;
  for (int message = 0; message < 500; ++message) {
    unanswered.push_back(pooled.Next(unanswered.size()));
    std::set<std::string> ids;
    for (const v1::PredictRequest& request : unanswered) {
      for (const v1::Sequence& sequence : request.sequences()) ids.insert(sequence.session_id());
    }
    EXPECT_EQ(ids.size(), 2 * unanswered.size());
    if (unanswered.size() < 4) continue;
    EXPECT_EQ(pooled.Answer(ReplyTo(unanswered.front(), 1)).error, "");
    unanswered.pop_front();
  }
}

TEST(PooledExchangeTest, ARefusalMovesNoSessionAndAFailureFreesThem) {
  NativeConversation pooled(PooledShape(2, 1, 1));
  v1::PredictResponse refused;
  refused.mutable_status()->set_code(8);
  pooled.Next();
  EXPECT_EQ(pooled.Answer(refused).error, "RESOURCE_EXHAUSTED");
  pooled.Next();
  pooled.exchange().OnFailure();
  std::set<std::string> drawn;
  for (int message = 0; message < 100; ++message) {
    const v1::PredictRequest request = pooled.Next();
    EXPECT_EQ(request.sequences(0).position(), 0);
    drawn.insert(request.sequences(0).session_id());
    pooled.Answer(refused);
  }
  EXPECT_THAT(drawn, SizeIs(2));
}

}  // namespace
}  // namespace rondo::load
