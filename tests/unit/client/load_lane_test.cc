#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/load/arrival_schedule.h"
#include "client/load/lane.h"
#include "client/load/latency_histogram.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rondo/v1/inference.pb.h"

namespace rondo::load {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr int64_t kMilli = 1'000'000;

// An exchange that says nothing, and judges as it is told.
class ToldExchange final : public Exchange {
 public:
  const google::protobuf::MessageLite& Next(size_t in_flight) override {
    in_flight_seen.push_back(in_flight);
    return message_;
  }
  const google::protobuf::MessageLite* Last() override { return has_last ? &message_ : nullptr; }
  google::protobuf::MessageLite* reply() override { return &message_; }
  Verdict OnReply() override { return verdict; }
  void OnFailure() override { ++failures; }
  std::vector<std::string> SessionIds() const override { return {}; }

  std::vector<size_t> in_flight_seen;
  Verdict verdict;
  bool has_last = false;
  int failures = 0;

 private:
  v1::PredictRequest message_;
};

class LaneTest : public ::testing::Test {
 protected:
  // A lane, and its exchange in *exchange.
  static Lane MakeLane(int max_in_flight, ToldExchange** exchange) {
    auto told = std::make_unique<ToldExchange>();
    *exchange = told.get();
    return Lane(std::move(told), max_in_flight, 1);
  }

  ToldExchange* exchange_ = nullptr;
};

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
TEST_F(LaneTest, AStallCountsForEveryMessageThatWasDueMeanwhile) {
  ArrivalSchedule schedule(1000, Arrivals::kConstant, 0, 0);
  Lane lane = MakeLane(1, &exchange_);
  LatencyHistogram latency;
  int64_t now = 0;
  const auto exchange = [&](int64_t reply_after) {
    lane.Send(now);
    now += reply_after;
    latency.Record(now - lane.OnReply().counted_from_nanos);
  };
  lane.AddDue(*schedule.TakeDue(now));
  exchange(100 * kMilli);
  while (const std::optional<int64_t> due = schedule.TakeDue(99 * kMilli)) lane.AddDue(*due);
  while (lane.has_due()) exchange(0);
  EXPECT_EQ(latency.count(), 100);
  EXPECT_NEAR(latency.QuantileSeconds(0.5), 0.050, 0.001);
  EXPECT_NEAR(latency.QuantileSeconds(0.99), 0.099, 0.001);
}

TEST_F(LaneTest, AClosedLoopCountsFromTheSend) {
  Lane lane = MakeLane(1, &exchange_);
  lane.Send(42);
  EXPECT_EQ(lane.OnReply().counted_from_nanos, 42);
}

TEST_F(LaneTest, ARequestKnowsHowManyAreUnansweredBeforeIt) {
  Lane lane = MakeLane(2, &exchange_);
  lane.Send(0);
  lane.Send(0);
  EXPECT_FALSE(lane.CanSend());
  lane.OnReply();
  lane.Send(0);
  EXPECT_THAT(exchange_->in_flight_seen, ElementsAre(0, 1, 1));
}

TEST_F(LaneTest, AfterAFailureNothingIsSentUntilNothingIsInFlight) {
  Lane lane = MakeLane(2, &exchange_);
  lane.Send(0);
  lane.Send(0);
  exchange_->verdict = {"RESOURCE_EXHAUSTED", "queue is full"};
  const Outcome outcome = lane.OnReply();
  EXPECT_EQ(outcome.error, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(outcome.message, "queue is full");
  EXPECT_FALSE(lane.CanSend());
  EXPECT_EQ(lane.OnFailure(9, "").error, "FAILED_PRECONDITION");
  EXPECT_EQ(exchange_->failures, 1);
  EXPECT_TRUE(lane.CanSend());
}

TEST_F(LaneTest, ALaneGivesUpAfterManyFailuresButNotAfterRefusalsForLackOfRoom) {
  Lane refused = MakeLane(1, &exchange_);
  Lane failed = MakeLane(1, &exchange_);
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

TEST_F(LaneTest, NothingFollowsTheLastMessage) {
  Lane lane = MakeLane(1, &exchange_);
  exchange_->has_last = true;
  EXPECT_NE(lane.SendLast(7), nullptr);
  EXPECT_EQ(lane.in_flight(), 1u);
  EXPECT_EQ(lane.OnReply().counted_from_nanos, 7);
  EXPECT_FALSE(lane.CanSend());
  EXPECT_EQ(lane.SendLast(8), nullptr);
}

TEST_F(LaneTest, WhatWasDueAndNotSentIsForgottenTogether) {
  Lane lane = MakeLane(1, &exchange_);
  lane.AddDue(1);
  lane.AddDue(2);
  EXPECT_THAT(lane.TakeUnsent(), SizeIs(2));
  EXPECT_FALSE(lane.has_due());
}

}  // namespace
}  // namespace rondo::load
