#include "server/session/session_lease.h"

#include <limits>

#include "gmock/gmock.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SessionLeaseTest : public SessionFixture {
 protected:
  static absl::Span<float> State(SessionLease* lease) { return {lease->state(), kStateSize}; }
};

TEST_F(SessionLeaseTest, AnEmptyLeaseIsFalseAndHarmless) {
  SessionLease lease;
  EXPECT_FALSE(lease);
  lease.Release(now_);
  lease.Commit(CommittedSequence(), now_);
  EXPECT_FALSE(lease);
}

TEST_F(SessionLeaseTest, AMovedLeaseLeavesAnEmptyOne) {
  Create("s");
  SessionLease lease = AcquireNow("s");
  SessionLease moved = std::move(lease);
  EXPECT_FALSE(lease);  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(moved);
  RecordingWaiter waiter;
  ASSERT_TRUE(Wait("s", &waiter));
  moved = SessionLease();
  EXPECT_EQ(waiter.calls, 1);
}

TEST_F(SessionLeaseTest, ANewSessionStartsFromZero) {
  Create("s");
  SessionLease lease = AcquireNow("s");
  EXPECT_FALSE(lease.stateless());
  EXPECT_EQ(lease.model(), model_);
  EXPECT_EQ(lease.position(), 0);
  EXPECT_THAT(State(&lease), Each(0.0f));
  EXPECT_THAT(lease.last_output(), IsEmpty());
  EXPECT_EQ(lease.last_time(), std::nullopt);
}

TEST_F(SessionLeaseTest, CommitMovesTheSessionOn) {
  Create("s");
  SessionLease lease = AcquireNow("s");
  State(&lease)[3] = 2.5f;
  const std::vector<float> reply = {1, 2, 3};
  CommittedSequence sequence;
  sequence.timesteps = 3;
  sequence.reply = reply;
  sequence.last_time = 99;
  lease.Commit(sequence, now_);
  EXPECT_FALSE(lease);

  lease = AcquireNow("s");
  EXPECT_EQ(lease.position(), 3);
  EXPECT_EQ(State(&lease)[3], 2.5f);
  EXPECT_THAT(lease.last_output(), ElementsAre(3));
  EXPECT_THAT(lease.last_reply(), ElementsAre(1, 2, 3));
  EXPECT_EQ(lease.last_time(), 99);
}

TEST_F(SessionLeaseTest, AShorterReplyAfterAVeryLongOneReplacesIt) {
  Create("s");
  const std::vector<float> long_reply(5000, 1.0f);
  CommittedSequence sequence = OneStep();
  sequence.reply = long_reply;
  AcquireNow("s").Commit(sequence, now_);
  EXPECT_EQ(AcquireNow("s").last_reply().size(), 5000u);
  AcquireNow("s").Commit(OneStep(4), now_);
  EXPECT_THAT(AcquireNow("s").last_reply(), ElementsAre(4));
}

TEST_F(SessionLeaseTest, ALeaseThatEndsWithoutCommitLeavesTheSessionAsItWas) {
  Create("s");
  SessionLease lease = AcquireNow("s");
  State(&lease)[0] = 1.5f;
  lease.Commit(OneStep(9), now_);

  lease = AcquireNow("s");
  for (int64_t i = 0; i < kStateSize; ++i) lease.working_state()[i] = -1;
  lease.Release(now_);
  { SessionLease dropped = AcquireNow("s"); }

  lease = AcquireNow("s");
  EXPECT_EQ(lease.position(), 1);
  EXPECT_EQ(State(&lease)[0], 1.5f);
  EXPECT_THAT(lease.last_reply(), ElementsAre(9));
  EXPECT_EQ(lease.Check(0, 1, 7), PositionCheck::kReplay);
}

TEST_F(SessionLeaseTest, WorkingStateIsNotTheState) {
  Create("s");
  SessionLease lease = AcquireNow("s");
  ASSERT_NE(lease.working_state(), nullptr);
  EXPECT_NE(lease.working_state(), lease.state());
  EXPECT_EQ(lease.working_state(), lease.working_state());
}

TEST_F(SessionLeaseTest, TheNextPositionOrNoneRuns) {
  Create("s");
  AcquireNow("s").Commit(OneStep(), now_);
  const SessionLease lease = AcquireNow("s");
  EXPECT_EQ(lease.Check(1, 5, 0), PositionCheck::kRun);
  EXPECT_EQ(lease.Check(std::nullopt, 1, 7), PositionCheck::kRun);
}

TEST_F(SessionLeaseTest, OnlyTheExactLastRequestIsReplayed) {
  Create("s");
  CommittedSequence sequence = OneStep();
  sequence.timesteps = 4;
  AcquireNow("s").Commit(sequence, now_);
  sequence.timesteps = 2;
  sequence.fingerprint = 8;
  AcquireNow("s").Commit(sequence, now_);
  const SessionLease lease = AcquireNow("s");
  EXPECT_EQ(lease.Check(4, 2, 8), PositionCheck::kReplay);
  EXPECT_EQ(lease.Check(4, 2, 7), PositionCheck::kWrong) << "other values";
  EXPECT_EQ(lease.Check(4, 1, 8), PositionCheck::kWrong) << "other length";
  EXPECT_EQ(lease.Check(0, 4, 7), PositionCheck::kWrong) << "the one before the last";
  EXPECT_EQ(lease.Check(5, 1, 8), PositionCheck::kWrong) << "in its middle";
}

TEST_F(SessionLeaseTest, NothingIsReplayedAtPositionZero) {
  Create("s");
  const SessionLease lease = AcquireNow("s");
  EXPECT_EQ(lease.Check(0, 0, 0), PositionCheck::kRun);
  EXPECT_EQ(lease.Check(-1, 1, 0), PositionCheck::kWrong);
}

TEST_F(SessionLeaseTest, AnyPositionAClientMakesUpIsJudged) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  Create("s");
  CommittedSequence sequence = OneStep();
  for (const int64_t timesteps : {int64_t{5}, kMax}) {
    sequence.timesteps = timesteps;
    AcquireNow("s").Commit(sequence, now_);
    const SessionLease lease = AcquireNow("s");
    for (const int64_t position : {kMin, kMin + 1, int64_t{-1}, kMax - 1, kMax}) {
      const PositionCheck expected = position == lease.position() ? PositionCheck::kRun : PositionCheck::kWrong;
      EXPECT_EQ(lease.Check(position, kMax, 7), expected) << position;
      EXPECT_EQ(lease.Check(position, kMin, 7), expected) << position;
    }
  }
}

TEST_F(SessionLeaseTest, AStatelessLeaseIsAZeroStateOfItsOwn) {
  SessionLease a = table_.AcquireStateless(model_);
  SessionLease b = table_.AcquireStateless(model_);
  EXPECT_TRUE(a);
  EXPECT_TRUE(a.stateless());
  EXPECT_EQ(a.position(), 0);
  EXPECT_THAT(a.last_output(), IsEmpty());
  EXPECT_NE(a.state(), b.state());
  EXPECT_NE(a.state(), a.working_state());
  State(&a)[0] = 3;
  a.Commit(OneStep(), now_);
  EXPECT_FALSE(a);
  a = table_.AcquireStateless(model_);
  EXPECT_THAT(State(&a), Each(0.0f));
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(SessionLeaseTest, NoSessionSeesTheStateOfOneThatEnded) {
  for (int i = 0; i < 20; ++i) {
    Create("s");
    SessionLease lease = AcquireNow("s");
    EXPECT_THAT(State(&lease), Each(0.0f));
    for (float& value : State(&lease)) value = 1;
    lease.Commit(OneStep(), now_);
    ASSERT_TRUE(table_.Delete("s", now_).ok());
  }
}

}  // namespace
}  // namespace rondo
