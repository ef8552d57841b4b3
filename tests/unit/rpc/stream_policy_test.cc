#include "server/rpc/call/stream_policy.h"

#include <functional>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace rondo {
namespace {

struct PolicyMessage {
  bool running() const { return is_running; }
  const absl::Status& refusal() const { return refused; }
  void Cancel() {
    if (!is_running) return;
    cancelled = true;
    if (!waits) return;  // what runs ends later
    is_running = false;
    on_done();
  }
  void Clear() {
    refused = absl::OkStatus();
    cancelled = false;
  }

  bool is_running = false;
  bool waits = false;  // for a session: it ends as it is cancelled
  bool cancelled = false;
  absl::Status refused;
  std::function<void()> on_done;
};

using Policy = StreamPolicy<PolicyMessage>;
using Step = Policy::Step;

class StreamPolicyTest : public testing::Test {
 protected:
  PolicyMessage* Read() {
    BeginRead();
    PolicyMessage* const message = policy_.EndRead(true);
    if (message != nullptr) message->is_running = true;
    return message;
  }
  void BeginRead() {
    PolicyMessage* const message = policy_.BeginRead([] { return std::make_unique<PolicyMessage>(); });
    message->on_done = [this] { nested_.push_back(policy_.Next()); };
  }
  PolicyMessage* ReadAnswered() {
    PolicyMessage* const message = Read();
    message->is_running = false;
    return message;
  }
  PolicyMessage* ReadWaiting() {
    PolicyMessage* const message = Read();
    message->waits = true;
    return message;
  }
  void ClientEndsItsSide() {
    BeginRead();
    EXPECT_EQ(policy_.EndRead(false), nullptr);
  }

  Policy policy_{4};
  std::vector<Step> nested_;  // the steps asked for by messages that ended as they were cancelled
};

const absl::Status kGoingAway = absl::UnavailableError("going away");
const absl::Status kRefusal = absl::InvalidArgumentError("refused");

TEST_F(StreamPolicyTest, SomethingMayBeSaidBetweenRepliesAndAtNoOtherTime) {
  EXPECT_TRUE(policy_.CanSay());
  ReadAnswered();
  EXPECT_EQ(policy_.Next(), Step::kWrite);
  EXPECT_FALSE(policy_.CanSay());
  policy_.Written(true);
  EXPECT_TRUE(policy_.CanSay());
  policy_.BeginSaying();
  ReadAnswered();
  EXPECT_EQ(policy_.Next(), Step::kWait);
  policy_.Said(true);
  EXPECT_EQ(policy_.Next(), Step::kWrite);
  policy_.Written(true);
  policy_.BeginSaying();
  policy_.Said(false);
  EXPECT_FALSE(policy_.CanSay());
  EXPECT_EQ(policy_.Next(), Step::kFinish);
}

TEST(StreamPolicyDropTest, EachReplyThatIsDroppedIsHeardOf) {
  int dropped = 0;
  Policy policy(4, [&dropped](const PolicyMessage& message) { dropped += message.running() ? 0 : 1; });
  for (int i = 0; i < 2; ++i) {
    policy.BeginRead([] { return std::make_unique<PolicyMessage>(); });
    ASSERT_NE(policy.EndRead(true), nullptr);
  }
  policy.Break();
  EXPECT_EQ(policy.Next(), Step::kFinish);
  EXPECT_EQ(dropped, 2);
}

TEST_F(StreamPolicyTest, RepliesAreWrittenInOrderOneAtATime) {
  PolicyMessage* const first = Read();
  PolicyMessage* const second = ReadAnswered();
  EXPECT_EQ(policy_.Next(), Step::kWait);
  first->is_running = false;
  EXPECT_EQ(policy_.Next(), Step::kWrite);
  EXPECT_EQ(policy_.oldest(), first);
  EXPECT_EQ(policy_.Next(), Step::kWait);
  policy_.Written(true);
  EXPECT_EQ(policy_.Next(), Step::kWrite);
  EXPECT_EQ(policy_.oldest(), second);
  policy_.Written(true);
  EXPECT_EQ(policy_.Next(), Step::kWait);
}

TEST_F(StreamPolicyTest, WhenTheClientEndsItsSideWhatWasReadIsAnsweredFirst) {
  ReadAnswered();
  ClientEndsItsSide();
  EXPECT_FALSE(policy_.CanRead());
  EXPECT_EQ(policy_.Next(), Step::kWrite);
  policy_.Written(true);
  EXPECT_EQ(policy_.Next(), Step::kFinish);
  EXPECT_TRUE(policy_.end().ok());
  EXPECT_EQ(policy_.Next(), Step::kWait);
}

TEST_F(StreamPolicyTest, AStreamThatIsNotAdmittedEndsWithTheReason) {
  policy_.EndWith(kRefusal);
  EXPECT_FALSE(policy_.CanRead());
  EXPECT_EQ(policy_.Next(), Step::kFinish);
  EXPECT_EQ(policy_.end(), kRefusal);
}

TEST_F(StreamPolicyTest, AStreamThatDrainsStaysUntilItLeavesAndSaysSo) {
  ReadAnswered();
  policy_.Drain(kGoingAway);
  EXPECT_FALSE(policy_.CanRead());
  EXPECT_EQ(policy_.Next(), Step::kWrite);
  policy_.Written(true);
  EXPECT_EQ(policy_.Next(), Step::kWait);
  policy_.Leave();
  EXPECT_EQ(policy_.Next(), Step::kSayGoingAway);
  EXPECT_EQ(policy_.Next(), Step::kWait);
  policy_.SaidGoingAway();
  EXPECT_EQ(policy_.Next(), Step::kFinish);
  EXPECT_EQ(policy_.end(), kGoingAway);
}

TEST_F(StreamPolicyTest, AStreamThatIsToldToLeaveAnswersFirst) {
  PolicyMessage* const message = Read();
  policy_.Drain(kGoingAway);
  policy_.Leave();
  EXPECT_EQ(policy_.Next(), Step::kWait);
  message->is_running = false;
  EXPECT_EQ(policy_.Next(), Step::kWrite);
  policy_.Written(true);
  EXPECT_EQ(policy_.Next(), Step::kSayGoingAway);
}

TEST_F(StreamPolicyTest, AMessageThatComesWhileTheStreamDrainsIsDropped) {
  BeginRead();
  policy_.Drain(kGoingAway);
  EXPECT_EQ(policy_.EndRead(true), nullptr);
  EXPECT_EQ(policy_.Next(), Step::kWait);
  policy_.Leave();
  EXPECT_EQ(policy_.Next(), Step::kSayGoingAway);
}

TEST_F(StreamPolicyTest, AClientThatEndsItsSideWhileTheStreamDrainsGetsOk) {
  BeginRead();
  policy_.Drain(kGoingAway);
  EXPECT_EQ(policy_.EndRead(false), nullptr);
  EXPECT_EQ(policy_.Next(), Step::kFinish);
  EXPECT_TRUE(policy_.end().ok());
}

TEST_F(StreamPolicyTest, AStreamThatEndsByItselfDoesNotDrain) {
  PolicyMessage* const message = Read();
  ClientEndsItsSide();
  policy_.Drain(kGoingAway);
  policy_.Leave();
  message->is_running = false;
  EXPECT_EQ(policy_.Next(), Step::kWrite);
  policy_.Written(true);
  EXPECT_EQ(policy_.Next(), Step::kFinish);
  EXPECT_TRUE(policy_.end().ok());
}

TEST_F(StreamPolicyTest, ARefusalIsAReplyUnlessItEndsTheStream) {
  ReadAnswered()->refused = kRefusal;
  EXPECT_EQ(policy_.Next(), Step::kWrite);
}

TEST_F(StreamPolicyTest, ARefusalThatEndsTheStreamCancelsWhatIsBehindIt) {
  policy_.EndAtRefusal();
  ReadAnswered()->refused = kRefusal;
  PolicyMessage* const behind = Read();
  EXPECT_EQ(policy_.Next(), Step::kWait);
  EXPECT_TRUE(behind->cancelled);
  EXPECT_FALSE(policy_.CanRead());
  behind->is_running = false;
  EXPECT_EQ(policy_.Next(), Step::kFinish);
  EXPECT_EQ(policy_.end(), kRefusal);
}

TEST_F(StreamPolicyTest, ARefusalEndsADrainingStreamWithItsReasonThoughTheClientEndsItsSide) {
  policy_.EndAtRefusal();
  ReadAnswered()->refused = kRefusal;
  PolicyMessage* const behind = Read();
  BeginRead();
  policy_.Drain(kGoingAway);
  EXPECT_EQ(policy_.Next(), Step::kWait);
  policy_.EndRead(false);
  behind->is_running = false;
  EXPECT_EQ(policy_.Next(), Step::kFinish);
  EXPECT_EQ(policy_.end(), kRefusal);
}

TEST_F(StreamPolicyTest, AWriteThatFailsDropsTheRepliesBehindIt) {
  ReadAnswered();
  ReadAnswered();
  EXPECT_EQ(policy_.Next(), Step::kWrite);
  policy_.Written(false);
  EXPECT_EQ(policy_.Next(), Step::kFinish);
}

TEST_F(StreamPolicyTest, ACancelledStreamFinishesOnceTheWriteUnderWayIsBack) {
  ReadAnswered();
  EXPECT_EQ(policy_.Next(), Step::kWrite);
  policy_.Break();
  EXPECT_EQ(policy_.Next(), Step::kWait);
  policy_.Written(true);
  EXPECT_EQ(policy_.Next(), Step::kFinish);
}

TEST_F(StreamPolicyTest, AStreamThatIsCancelledAfterItsEndFinishesOnce) {
  ClientEndsItsSide();
  EXPECT_EQ(policy_.Next(), Step::kFinish);
  policy_.Break();
  EXPECT_EQ(policy_.Next(), Step::kWait);
}

TEST_F(StreamPolicyTest, MessagesThatEndAsTheyAreCancelledFinishTheStreamOnce) {
  ReadWaiting();
  ReadAnswered();
  ReadWaiting();
  BeginRead();
  policy_.Break();
  EXPECT_EQ(nested_, (std::vector<Step>{Step::kWait, Step::kFinish}));
  EXPECT_EQ(policy_.Next(), Step::kWait);
}

TEST_F(StreamPolicyTest, ARefusalWhoseFollowersEndAsTheyAreCancelledFinishesTheStreamOnce) {
  policy_.EndAtRefusal();
  ReadAnswered()->refused = kRefusal;
  ReadWaiting();
  EXPECT_EQ(policy_.Next(), Step::kWait);
  EXPECT_EQ(nested_, std::vector<Step>{Step::kFinish});
  EXPECT_EQ(policy_.end(), kRefusal);
}

TEST(AdmitStreamTest, AStreamIsRefusedByNameWhileAllPlacesAreTakenAndTakenWhenOneIsFree) {
  EXPECT_TRUE(AdmitStream(/*open=*/2, /*most=*/3).ok());
  const absl::Status refusal = AdmitStream(/*open=*/3, /*most=*/3);
  EXPECT_EQ(RefusalOf(refusal).why, Why::kStreamsFull);
  EXPECT_EQ(refusal.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(refusal.message(), "the server has max_streams=3 open");
  EXPECT_GT(RefusalOf(refusal).retry_after_ms, 0);
}

}  // namespace
}  // namespace rondo
