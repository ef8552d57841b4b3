// SessionLease::Adopt: another model goes on with a session from its next commit on, and not before.

#include "gmock/gmock.h"
#include "server/session/session_lease.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;

class SessionAdoptTest : public SessionFixture {
 protected:
  // A session "s" after three steps, with state, reply and time.
  SessionAdoptTest() {
    Create("s");
    SessionLease lease = AcquireNow("s");
    lease.state()[2] = 2.5f;
    CommittedSequence sequence = OneStep(4);
    sequence.timesteps = 3;
    sequence.last_time = 99;
    lease.Commit(sequence, now_);
  }

  void ExpectUntouched() {
    const SessionLease lease = AcquireNow("s");
    EXPECT_EQ(lease.model(), model_);
    EXPECT_EQ(lease.position(), 3);
    EXPECT_EQ(metrics_.sessions().Value(), 1);
    EXPECT_EQ(newer_metrics_.sessions().Value(), 0);
    EXPECT_EQ(newer_metrics_.count(SessionEvent::kAdopted), 0);
  }

  CountedEvents newer_metrics_;
  const ServedModelPtr newer_ = MakeServedModel("m", kStateSize / 2, &newer_metrics_);
};

TEST_F(SessionAdoptTest, StatePositionReplyAndTimeStay) {
  SessionLease lease = AcquireNow("s");
  const float* const state = lease.state();
  lease.Adopt(newer_);
  EXPECT_EQ(lease.model(), newer_);
  EXPECT_EQ(lease.state(), state);
  EXPECT_EQ(lease.state()[2], 2.5f);
  EXPECT_EQ(lease.position(), 3);
  EXPECT_THAT(lease.last_output(), ElementsAre(4));
  EXPECT_EQ(lease.last_time(), 99);
}

TEST_F(SessionAdoptTest, CommitMovesTheSessionAndWhatIsCountedOfIt) {
  SessionLease lease = AcquireNow("s");
  lease.Adopt(newer_);
  lease.state()[2] = 3.5f;
  lease.Commit(OneStep(7), now_);
  lease = AcquireNow("s");
  EXPECT_EQ(lease.model(), newer_);
  EXPECT_EQ(lease.position(), 4);
  EXPECT_EQ(lease.state()[2], 3.5f);
  EXPECT_EQ(lease.last_time(), 99);
  EXPECT_EQ(lease.Check(3, 1, 7), PositionCheck::kReplay);
  EXPECT_EQ(metrics_.sessions().Value(), 0);
  EXPECT_EQ(newer_metrics_.sessions().Value(), 1);
  EXPECT_EQ(newer_metrics_.count(SessionEvent::kAdopted), 1);
  EXPECT_EQ(newer_metrics_.count(SessionEvent::kRestarted), 0);
  EXPECT_EQ(newer_metrics_.count(SessionEvent::kCreated), 0);
}

TEST_F(SessionAdoptTest, WithoutACommitTheSessionIsAsItWas) {
  SessionLease lease = AcquireNow("s");
  lease.Adopt(newer_);
  lease.working_state()[2] = 9;
  lease.Release(now_);
  ExpectUntouched();
  EXPECT_EQ(AcquireNow("s").state()[2], 2.5f);
}

TEST_F(SessionAdoptTest, ALeaseThatIsDroppedOrMovedOverAdoptsNothing) {
  {
    SessionLease lease = AcquireNow("s");
    lease.Adopt(newer_);
    SessionLease moved = std::move(lease);
    EXPECT_EQ(moved.model(), newer_);
    moved = SessionLease();
  }
  ExpectUntouched();
}

TEST_F(SessionAdoptTest, TheModelThatIsLeftLivesUntilItsLastSessionHasLeft) {
  Create("other");
  const std::weak_ptr<const ServedModel> left = model_;
  model_ = nullptr;
  for (const char* const id : {"s", "other"}) {
    SessionLease lease = AcquireNow(id);
    lease.Adopt(newer_);
    EXPECT_FALSE(left.expired()) << id;
    lease.Commit(OneStep(), now_);
  }
  EXPECT_TRUE(left.expired());
}

TEST_F(SessionAdoptTest, WhoWaitsMeanwhileFindsTheNewModel) {
  SessionLease lease = AcquireNow("s");
  RecordingWaiter waiter;
  ASSERT_TRUE(Wait("s", &waiter));
  lease.Adopt(newer_);
  lease.Commit(OneStep(), now_);
  ASSERT_TRUE(waiter.heard.ok());
  EXPECT_EQ(waiter.heard->model(), newer_);
  EXPECT_EQ(waiter.heard->position(), 4);
}

TEST_F(SessionAdoptTest, AnAdoptionThatAlsoEndsLeavesNothing) {
  SessionLease lease = AcquireNow("s");
  lease.Adopt(newer_);
  CommittedSequence sequence = OneStep();
  sequence.end_session = true;
  lease.Commit(sequence, now_);
  EXPECT_TRUE(absl::IsNotFound(table_.Get("s", now_).status()));
  EXPECT_EQ(metrics_.sessions().Value(), 0);
  EXPECT_EQ(newer_metrics_.sessions().Value(), 0);
  EXPECT_EQ(newer_metrics_.count(SessionEvent::kDeleted), 1);
}

TEST_F(SessionAdoptTest, ASessionDeletedMeanwhileStaysDeleted) {
  SessionLease lease = AcquireNow("s");
  lease.Adopt(newer_);
  ASSERT_TRUE(table_.Delete("s", now_).ok());
  lease.Commit(OneStep(), now_);
  EXPECT_TRUE(absl::IsNotFound(table_.Get("s", now_).status()));
  EXPECT_EQ(metrics_.sessions().Value(), 0);
  EXPECT_EQ(newer_metrics_.sessions().Value(), 0);
  EXPECT_EQ(newer_metrics_.count(SessionEvent::kAdopted), 0);
}

}  // namespace
}  // namespace rondo
