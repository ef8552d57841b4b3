#include <optional>
#include <vector>

#include "client/load/arrival_schedule.h"
#include "client/load/lane.h"
#include "client/load/latency_histogram.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo::load {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kMilli = 1'000'000;

MessageShape Shape(int sessions, int timesteps) {
  MessageShape shape;
  shape.model.set_name("m");
  shape.model.set_version(3);
  shape.model.set_input_size(2);
  shape.model.set_output_size(1);
  shape.sessions_per_message = sessions;
  shape.timesteps = timesteps;
  return shape;
}

// What a right server answers.
v1::PredictResponse ReplyTo(const v1::PredictRequest& request, int timesteps) {
  v1::PredictResponse reply;
  for (const v1::Sequence& sequence : request.sequences()) {
    v1::SequenceResult* result = reply.add_results();
    if (!sequence.session_id().empty()) result->set_next_position(sequence.position() + timesteps);
    for (int i = 0; i < timesteps; ++i) result->add_values(0.5f);
  }
  return reply;
}

TEST(ArrivalScheduleTest, ConstantArrivalsComeAtEvenGapsFromTheStart) {
  ArrivalSchedule schedule(1000, Arrivals::kConstant, 0, 5 * kMilli);
  EXPECT_EQ(schedule.TakeDue(5 * kMilli - 1), std::nullopt);
  EXPECT_EQ(schedule.TakeDue(5 * kMilli), 5 * kMilli);
  EXPECT_EQ(schedule.TakeDue(5 * kMilli), std::nullopt);
  EXPECT_EQ(schedule.next_nanos(), 6 * kMilli);
}

TEST(ArrivalScheduleTest, ALateSenderFindsEveryMessageThatWasDue) {
  ArrivalSchedule schedule(1000, Arrivals::kConstant, 0, 0);
  std::vector<int64_t> due;
  while (const std::optional<int64_t> next = schedule.TakeDue(3 * kMilli)) due.push_back(*next);
  EXPECT_THAT(due, ElementsAre(0, kMilli, 2 * kMilli, 3 * kMilli));
}

TEST(ArrivalScheduleTest, TheRateDoesNotDriftWhenTheGapIsNoWholeNanosecond) {
  ArrivalSchedule schedule(300'007, Arrivals::kConstant, 0, 0);
  int64_t count = 0;
  while (schedule.TakeDue(10'000 * kMilli - 1)) ++count;
  EXPECT_NEAR(static_cast<double>(count), 3'000'070, 1);
}

TEST(ArrivalScheduleTest, PoissonArrivalsKeepTheRateAndHaveRandomGaps) {
  ArrivalSchedule schedule(1000, Arrivals::kPoisson, 7, 0);
  double sum = 0;
  double squares = 0;
  int64_t last = 0;
  constexpr int kCount = 200'000;
  for (int i = 0; i < kCount; ++i) {
    const int64_t next = *schedule.TakeDue(INT64_MAX);
    const double gap = static_cast<double>(next - last);
    sum += gap;
    squares += gap * gap;
    last = next;
  }
  const double mean = sum / kCount;
  EXPECT_NEAR(mean, kMilli, 0.02 * kMilli);
  // An exponential distribution's deviation is its mean.
  EXPECT_NEAR(squares / kCount - mean * mean, mean * mean, 0.05 * mean * mean);
}

// The whole point of an open loop: one reply that takes 100 ms delays the 99 messages behind it, and each of them
// counts its own wait from its own scheduled time.
TEST(LaneTest, AStallCountsForEveryMessageThatWasDueMeanwhile) {
  ArrivalSchedule schedule(1000, Arrivals::kConstant, 0, 0);
  Lane lane(Shape(1, 1), "s-", 1, 0);
  LatencyHistogram latency;
  int64_t now = 0;
  const auto exchange = [&](int64_t reply_after) {
    const v1::PredictResponse reply = ReplyTo(lane.Send(now), 1);
    now += reply_after;
    const Outcome outcome = lane.OnReply(reply);
    EXPECT_EQ(outcome.error, "");
    latency.Record(now - outcome.counted_from_nanos);
  };
  lane.AddDue(*schedule.TakeDue(now));
  exchange(100 * kMilli);
  while (const std::optional<int64_t> due = schedule.TakeDue(99 * kMilli)) lane.AddDue(*due);
  while (lane.has_due()) exchange(0);
  EXPECT_EQ(latency.count(), 100);
  EXPECT_NEAR(latency.QuantileSeconds(0.5), 0.050, 0.001);
  EXPECT_NEAR(latency.QuantileSeconds(0.99), 0.099, 0.001);
}

TEST(LaneTest, AClosedLoopCountsFromTheSend) {
  Lane lane(Shape(1, 1), "s-", 1, 0);
  const v1::PredictResponse reply = ReplyTo(lane.Send(42), 1);
  EXPECT_EQ(lane.OnReply(reply).counted_from_nanos, 42);
}

TEST(LaneTest, PositionsFollowTheTimestepsAndMessagesInFlight) {
  Lane lane(Shape(2, 3), "s-", 2, 0);
  const v1::PredictRequest first = lane.Send(0);
  EXPECT_EQ(first.sequences(0).session_id(), "s-0");
  EXPECT_EQ(first.sequences(1).session_id(), "s-1");
  EXPECT_EQ(first.sequences(1).position(), 0);
  EXPECT_EQ(first.sequences(0).values_size(), 6);
  EXPECT_EQ(first.version(), 3);
  const v1::PredictRequest second = lane.Send(0);
  EXPECT_EQ(second.sequences(1).position(), 3);
  EXPECT_FALSE(lane.CanSend());
  EXPECT_EQ(lane.OnReply(ReplyTo(first, 3)).error, "");
  EXPECT_EQ(lane.Send(0).sequences(0).position(), 6);
  EXPECT_EQ(lane.OnReply(ReplyTo(second, 3)).error, "");
}

TEST(LaneTest, AWrongReplyIsAnError) {
  Lane lane(Shape(2, 1), "s-", 1, 0);
  v1::PredictResponse reply = ReplyTo(lane.Send(0), 1);
  reply.mutable_results(1)->add_values(1);
  EXPECT_EQ(lane.OnReply(reply).message, "reply has 2 values; expected 1");
  reply = ReplyTo(lane.Send(0), 1);
  reply.mutable_results(0)->set_next_position(9);
  EXPECT_EQ(lane.OnReply(reply).message, "reply has next_position 9; expected 2");
  reply = ReplyTo(lane.Send(0), 1);
  reply.mutable_results()->RemoveLast();
  const Outcome outcome = lane.OnReply(reply);
  EXPECT_EQ(outcome.error, "WRONG_REPLY");
  EXPECT_EQ(outcome.message, "reply has 1 results; the message had 2 sequences");
}

TEST(LaneTest, ARefusedMessageIsSentAgainAtTheSamePositionOnceNothingIsInFlight) {
  Lane lane(Shape(1, 1), "s-", 2, 0);
  lane.Send(0);
  lane.Send(0);
  v1::PredictResponse refused;
  refused.mutable_status()->set_code(8);
  refused.mutable_status()->set_message("queue is full");
  const Outcome outcome = lane.OnReply(refused);
  EXPECT_EQ(outcome.error, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(outcome.message, "queue is full");
  EXPECT_FALSE(lane.CanSend());
  v1::PredictResponse ahead;
  ahead.add_results()->mutable_status()->set_code(9);
  EXPECT_EQ(lane.OnReply(ahead).error, "FAILED_PRECONDITION");
  ASSERT_TRUE(lane.CanSend());
  EXPECT_EQ(lane.Send(0).sequences(0).position(), 0);
}

TEST(LaneTest, TheExpectedPositionOfARefusalIsUsedNext) {
  Lane lane(Shape(1, 1), "s-", 1, 0);
  lane.Send(0);
  v1::PredictResponse reply;
  reply.add_results()->mutable_status()->set_code(9);
  reply.mutable_results(0)->set_next_position(17);
  lane.OnReply(reply);
  EXPECT_EQ(lane.Send(0).sequences(0).position(), 17);
}

TEST(LaneTest, ALaneGivesUpAfterManyFailuresButNotAfterRefusalsForLackOfRoom) {
  Lane refused(Shape(1, 1), "s-", 1, 0);
  Lane failed(Shape(1, 1), "s-", 1, 0);
  for (int i = 0; i < Lane::kMaxFailures; ++i) {
    EXPECT_TRUE(failed.CanSend());
    refused.Send(0);
    refused.OnFailure(8, "");
    failed.Send(0);
    failed.OnFailure(14, "");
  }
  EXPECT_TRUE(refused.CanSend());
  EXPECT_TRUE(failed.retired());
  EXPECT_FALSE(failed.CanSend());
}

TEST(LaneTest, StatelessSequencesHaveNoSessionAndNoPosition) {
  MessageShape shape = Shape(2, 1);
  shape.stateless = true;
  Lane lane(shape, "s-", 1, 0);
  const v1::PredictRequest& request = lane.Send(0);
  EXPECT_EQ(request.sequences(0).session_id(), "");
  EXPECT_FALSE(request.sequences(0).has_position());
  EXPECT_EQ(lane.OnReply(ReplyTo(request, 1)).error, "");
  EXPECT_THAT(lane.SessionIds(), IsEmpty());
}

TEST(LaneTest, OnlySessionsThatMayLiveOnTheServerAreNamed) {
  Lane lane(Shape(2, 1), "s-", 1, 0);
  EXPECT_THAT(lane.SessionIds(), IsEmpty());
  lane.Send(0);
  EXPECT_THAT(lane.SessionIds(), ElementsAre("s-0", "s-1"));
}

TEST(LaneTest, TokenModelsGetTokenIdsAndCalendarModelsGetTimes) {
  MessageShape shape = Shape(1, 50);
  shape.model.set_input_size(1);
  shape.model.set_tokens(7);
  shape.model.set_needs_times(true);
  shape.model.set_step_seconds(60);
  Lane lane(shape, "s-", 1, 0);
  const v1::Sequence sequence = lane.Send(0).sequences(0);
  ASSERT_EQ(sequence.values_size(), 50);
  for (const float value : sequence.values()) {
    EXPECT_EQ(value, static_cast<float>(static_cast<int>(value)));
    EXPECT_GE(value, 0);
    EXPECT_LT(value, 7);
  }
  ASSERT_EQ(sequence.times_size(), 50);
  EXPECT_EQ(sequence.times(1) - sequence.times(0), 60);
}

}  // namespace
}  // namespace rondo::load
