// SessionLease::Restart: a session begins anew with its next commit, and not before.

#include "gmock/gmock.h"
#include "server/session/session_lease.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SessionRestartTest : public SessionFixture {
 protected:
  static constexpr int64_t kOldTime = 99;

  // A session "s" after three steps, with state, reply and time.
  SessionRestartTest() {
    Create("s");
    SessionLease lease = AcquireNow("s");
    lease.state()[2] = 2.5f;
    CommittedSequence sequence = OneStep(4);
    sequence.timesteps = 3;
    sequence.last_time = kOldTime;
    lease.Commit(sequence, now_);
  }

  void ExpectUntouched() {
    const SessionLease lease = AcquireNow("s");
    EXPECT_EQ(lease.model(), model_);
    EXPECT_EQ(lease.position(), 3);
    EXPECT_THAT(lease.last_reply(), ElementsAre(4));
    EXPECT_EQ(lease.last_time(), kOldTime);
    EXPECT_EQ(metrics_.count(SessionEvent::kRestarted), 0);
    EXPECT_EQ(metrics_.sessions().Value(), 1);
  }

  // What another version of the model counts.
  CountedEvents newer_metrics_;
  const ServedModelPtr newer_ = MakeServedModel("m", kStateSize, &newer_metrics_);
};

TEST_F(SessionRestartTest, TheLeaseSeesAZeroStateAtPositionZeroWithoutAPast) {
  SessionLease lease = AcquireNow("s");
  lease.Restart(model_);
  EXPECT_TRUE(lease);
  EXPECT_FALSE(lease.stateless());
  EXPECT_EQ(lease.model(), model_);
  EXPECT_EQ(lease.position(), 0);
  EXPECT_THAT(absl::MakeConstSpan(lease.state(), kStateSize), Each(0.0f));
  EXPECT_THAT(lease.last_output(), IsEmpty());
  EXPECT_EQ(lease.last_time(), std::nullopt);
}

TEST_F(SessionRestartTest, WithoutACommitTheSessionIsAsItWas) {
  SessionLease lease = AcquireNow("s");
  lease.Restart(newer_);
  lease.state()[2] = 9;
  lease.working_state()[2] = 9;
  lease.Release(now_);
  ExpectUntouched();
  EXPECT_EQ(AcquireNow("s").state()[2], 2.5f);
  EXPECT_EQ(newer_metrics_.sessions().Value(), 0);
}

TEST_F(SessionRestartTest, ALeaseThatIsDroppedOrMovedOverRestartsNothing) {
  {
    SessionLease lease = AcquireNow("s");
    lease.Restart(model_);
    SessionLease moved = std::move(lease);
    EXPECT_EQ(moved.position(), 0);
    moved = SessionLease();
  }
  ExpectUntouched();
}

TEST_F(SessionRestartTest, CommitMovesFromZeroAndCountsOneRestart) {
  SessionLease lease = AcquireNow("s");
  lease.Restart(model_);
  lease.state()[1] = 1.5f;
  lease.Commit(OneStep(7), now_);
  lease = AcquireNow("s");
  EXPECT_EQ(lease.position(), 1);
  EXPECT_EQ(lease.state()[1], 1.5f);
  EXPECT_EQ(lease.state()[2], 0);
  EXPECT_THAT(lease.last_reply(), ElementsAre(7));
  EXPECT_EQ(lease.last_time(), std::nullopt);  // not that of before the restart
  EXPECT_EQ(metrics_.count(SessionEvent::kRestarted), 1);
  EXPECT_EQ(metrics_.count(SessionEvent::kCreated), 1);
  EXPECT_EQ(metrics_.count(SessionEvent::kDeleted), 0);
  EXPECT_EQ(metrics_.sessions().Value(), 1);
}

TEST_F(SessionRestartTest, TheRequestThatRestartedIsTheOneThatIsReplayed) {
  SessionLease lease = AcquireNow("s");
  lease.Restart(model_);
  lease.Commit(OneStep(7), now_);
  lease = AcquireNow("s");
  EXPECT_EQ(lease.Check(0, 1, 7), PositionCheck::kReplay);
  EXPECT_EQ(lease.Check(0, 3, 7), PositionCheck::kWrong);
  EXPECT_EQ(lease.Check(1, 1, 7), PositionCheck::kRun);
}

TEST_F(SessionRestartTest, AnotherVersionTakesTheSessionOverWithAStateOfItsSize) {
  SessionLease lease = AcquireNow("s");
  lease.Restart(newer_);
  EXPECT_EQ(lease.model(), newer_);
  const int64_t size = newer_->spec().state_size();
  ASSERT_GT(size, kStateSize);
  EXPECT_THAT(absl::MakeConstSpan(lease.state(), static_cast<size_t>(size)), Each(0.0f));
  lease.state()[size - 1] = 3;
  lease.Commit(OneStep(), now_);
  lease = AcquireNow("s");
  EXPECT_EQ(lease.model(), newer_);
  EXPECT_EQ(lease.state()[size - 1], 3);
  EXPECT_EQ(metrics_.sessions().Value(), 0);
  EXPECT_EQ(newer_metrics_.sessions().Value(), 1);
  EXPECT_EQ(newer_metrics_.count(SessionEvent::kRestarted), 1);
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(SessionRestartTest, TheModelThatIsLeftIsLetGo) {
  const std::weak_ptr<const ServedModel> left = model_;
  SessionLease lease = AcquireNow("s");
  lease.Restart(newer_);
  model_ = nullptr;
  EXPECT_FALSE(left.expired());  // the session still is one of it
  lease.Commit(OneStep(), now_);
  EXPECT_TRUE(left.expired());
}

TEST_F(SessionRestartTest, ARestartThatAlsoEndsLeavesNothing) {
  SessionLease lease = AcquireNow("s");
  lease.Restart(newer_);
  CommittedSequence sequence = OneStep();
  sequence.end_session = true;
  lease.Commit(sequence, now_);
  EXPECT_TRUE(absl::IsNotFound(table_.Get("s", now_).status()));
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(metrics_.sessions().Value(), 0);
  EXPECT_EQ(newer_metrics_.sessions().Value(), 0);
}

TEST_F(SessionRestartTest, WhoWaitsMeanwhileFindsTheNewSession) {
  SessionLease lease = AcquireNow("s");
  RecordingWaiter waiter;
  ASSERT_TRUE(Wait("s", &waiter));
  lease.Restart(newer_);
  lease.Commit(OneStep(), now_);
  ASSERT_TRUE(waiter.heard.ok());
  EXPECT_EQ(waiter.heard->model(), newer_);
  EXPECT_EQ(waiter.heard->position(), 1);
}

TEST_F(SessionRestartTest, ASessionDeletedMeanwhileStaysDeleted) {
  SessionLease lease = AcquireNow("s");
  lease.Restart(newer_);
  ASSERT_TRUE(table_.Delete("s", now_).ok());
  lease.Commit(OneStep(), now_);
  EXPECT_TRUE(absl::IsNotFound(table_.Get("s", now_).status()));
  EXPECT_EQ(metrics_.sessions().Value(), 0);
  EXPECT_EQ(newer_metrics_.sessions().Value(), 0);
  EXPECT_EQ(newer_metrics_.count(SessionEvent::kRestarted), 0);
}

TEST_F(SessionRestartTest, ASessionMadeForTheRestartIsCreatedOnce) {
  SessionLease lease = AcquireOrCreate("new");
  lease.Restart(newer_);
  lease.Commit(OneStep(), now_);
  EXPECT_EQ(newer_metrics_.count(SessionEvent::kCreated), 1);
  EXPECT_EQ(newer_metrics_.sessions().Value(), 1);
  EXPECT_EQ(metrics_.sessions().Value(), 1);  // "s"
  EXPECT_EQ(AcquireNow("new").model(), newer_);
}

}  // namespace
}  // namespace rondo
