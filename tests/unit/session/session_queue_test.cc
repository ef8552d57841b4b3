// Who gets a session next, and who hears what.
#include <memory>
#include <utility>

#include "gmock/gmock.h"
#include "server/refusal/refusal.h"
#include "server/session/ended_sessions.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using SessionTableQueueTest = SessionFixture;

// Says its number when it hears, and ends its lease there and then.
class BriefWaiter : public LeaseWaiter {
 public:
  BriefWaiter(int number, std::vector<int>* order) : number_(number), order_(order) {}
  void OnLease(absl::StatusOr<SessionLease> lease) override {
    ++depth;
    deepest = std::max(deepest, depth);
    order_->push_back(lease.ok() ? number_ : -number_);
    lease = absl::CancelledError();
    --depth;
  }

  static inline int depth = 0;
  static inline int deepest = 0;

 private:
  const int number_;
  std::vector<int>* const order_;
};

TEST_F(SessionTableQueueTest, WaitersAreServedInTheOrderTheyCame) {
  Create("s");
  SessionLease running = AcquireNow("s");
  RecordingWaiter waiters[3];
  for (RecordingWaiter& waiter : waiters) ASSERT_TRUE(Wait("s", &waiter));
  running.Commit(OneStep(), now_);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) EXPECT_EQ(waiters[j].calls, j <= i ? 1 : 0);
    ASSERT_TRUE(waiters[i].heard.ok());
    EXPECT_EQ(waiters[i].heard->position(), i + 1);
    waiters[i].heard->Commit(OneStep(), now_);
  }
  EXPECT_EQ(table_.Get("s", now_)->position, 4);
}

TEST_F(SessionTableQueueTest, AFullQueueTurnsAwayAtOnce) {
  Create("s");
  SessionLease running = AcquireNow("s");
  RecordingWaiter waiters[5];
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Wait("s", &waiters[i]));
  EXPECT_EQ(table_.Acquire("s", nullptr, &waiters[4], now_).status().code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(table_.CancelWait("s", &waiters[1]));
  EXPECT_TRUE(Wait("s", &waiters[4]));
  ASSERT_TRUE(table_.Delete("s", now_).ok());
  EXPECT_EQ(waiters[1].calls, 0);
}

// A call that has no position, of connection `connection`, which loop `loop` read.
class UnplacedCall : public RecordingWaiter {
 public:
  explicit UnplacedCall(uint32_t connection = 7, uint16_t loop = 0) {
    SetOrder({/*by_arrival=*/true, loop, connection});
  }
};

TEST_F(SessionTableQueueTest, BehindARequestThatFoundNoRoomNoneWithoutAPositionRunsUntilTheSessionIsFree) {
  Create("s");
  SessionLease running = AcquireNow("s");
  UnplacedCall waiters[4], refused, late;
  for (UnplacedCall& waiter : waiters) ASSERT_TRUE(Wait("s", &waiter));
  EXPECT_EQ(RefusalOf(table_.Acquire("s", nullptr, &refused, now_).status()).why, Why::kQueueFull);
  running.Commit(OneStep(), now_);
  EXPECT_EQ(RefusalOf(table_.Acquire("s", nullptr, &late, now_).status()).why, Why::kOutOfOrder);
  RecordingWaiter with_position;
  EXPECT_TRUE(Wait("s", &with_position));
  for (UnplacedCall& waiter : waiters) waiter.heard->Commit(OneStep(), now_);
  with_position.heard->Commit(OneStep(), now_);
  EXPECT_TRUE(table_.Acquire("s", nullptr, &late, now_)->has_value());
}

TEST_F(SessionTableQueueTest, OverlappingCallsOfOneConnectionRunIfOneLoopReadThemAll) {
  Create("s");
  UnplacedCall first, second, other_loop(/*connection=*/7, /*loop=*/1), later,
      other_client(/*connection=*/8, /*loop=*/1);
  SessionLease running = *std::move(*table_.Acquire("s", nullptr, &first, now_));
  EXPECT_TRUE(Wait("s", &second));
  EXPECT_EQ(RefusalOf(table_.Acquire("s", nullptr, &other_loop, now_).status()).why, Why::kOutOfOrder);
  EXPECT_EQ(RefusalOf(table_.Acquire("s", nullptr, &later, now_).status()).why, Why::kOutOfOrder);
  running.Commit(OneStep(), now_);
  second.heard->Commit(OneStep(), now_);
  running = *std::move(*table_.Acquire("s", nullptr, &other_loop, now_));
  EXPECT_TRUE(Wait("s", &other_client));
}

TEST_F(SessionTableQueueTest, WithoutAQueueNoneWaits) {
  SessionTable::Options options = SmallOptions();
  options.max_queue_per_session = 0;
  SessionTable table(options);
  RecordingWaiter waiter;
  auto running = table.Acquire("s", &model_, &waiter, now_);
  ASSERT_TRUE(running.ok());
  EXPECT_EQ(table.Acquire("s", &model_, &waiter, now_).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(SessionTableQueueTest, ACancelledWaiterNeverHearsWhereverItStood) {
  for (int cancelled = 0; cancelled < 3; ++cancelled) {
    Create("s");
    SessionLease running = AcquireNow("s");
    std::vector<int> order;
    BriefWaiter waiters[3] = {{1, &order}, {2, &order}, {3, &order}};
    for (BriefWaiter& waiter : waiters) ASSERT_TRUE(Wait("s", &waiter));
    EXPECT_TRUE(table_.CancelWait("s", &waiters[cancelled]));
    EXPECT_FALSE(table_.CancelWait("s", &waiters[cancelled]));
    BriefWaiter late(4, &order);
    ASSERT_TRUE(Wait("s", &late));
    running.Release(now_);
    std::vector<int> expected = {1, 2, 3, 4};
    expected.erase(expected.begin() + cancelled);
    EXPECT_EQ(order, expected);
    ASSERT_TRUE(table_.Delete("s", now_).ok());
  }
}

TEST_F(SessionTableQueueTest, CancelIsTooLateForOneWhoHasHeard) {
  Create("s");
  RecordingWaiter waiter;
  SessionLease running = AcquireNow("s");
  EXPECT_FALSE(table_.CancelWait("s", &waiter));
  ASSERT_TRUE(Wait("s", &waiter));
  running.Release(now_);
  EXPECT_FALSE(table_.CancelWait("s", &waiter));
  EXPECT_EQ(waiter.calls, 1);
  EXPECT_FALSE(table_.CancelWait("unknown", &waiter));
}

TEST_F(SessionTableQueueTest, AChainOfWaitersThatEndTheirLeaseAtOnceDoesNotNest) {
  SessionTable::Options options;
  options.max_queue_per_session = 100'000;
  SessionTable table(options);
  ASSERT_TRUE(table.Create("s", model_, std::nullopt, now_).ok());
  std::vector<int> order;
  std::vector<std::unique_ptr<BriefWaiter>> waiters;
  auto running = table.Acquire("s", nullptr, nullptr, now_);
  for (int i = 0; i < 100'000; ++i) {
    waiters.push_back(std::make_unique<BriefWaiter>(i, &order));
    ASSERT_TRUE(table.Acquire("s", nullptr, waiters.back().get(), now_).ok());
  }
  BriefWaiter::deepest = 0;
  (*running)->Release(now_);
  ASSERT_EQ(order.size(), 100'000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(BriefWaiter::deepest, 1);
}

TEST_F(SessionTableQueueTest, AWaiterMayCallTheTableAndEndItself) {
  class Leaver : public LeaseWaiter {
   public:
    Leaver(SessionTable* table, absl::Time now) : table_(table), now_(now) {}
    void OnLease(absl::StatusOr<SessionLease> lease) override {
      ASSERT_TRUE(lease.ok());
      EXPECT_TRUE(table_->Delete("s", now_).ok());
      delete this;
    }

   private:
    SessionTable* const table_;
    const absl::Time now_;
  };
  Create("s");
  SessionLease running = AcquireNow("s");
  RecordingWaiter behind;
  ASSERT_TRUE(Wait("s", new Leaver(&table_, now_)));
  ASSERT_TRUE(Wait("s", &behind));
  running.Release(now_);
  EXPECT_EQ(behind.calls, 1);
  EXPECT_EQ(behind.heard.status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SessionTableQueueTest, ASessionThatIsNeverCommittedHasNeverBeen) {
  {
    const SessionLease lease = AcquireOrCreate("s");
    EXPECT_EQ(table_.size(), 1u);
    EXPECT_EQ(table_.Get("s", now_).status(), UnknownSessionError("s"));
    std::string token;
    EXPECT_TRUE(table_.List("", 10, now_, &token)->empty());
  }
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(table_.Get("s", now_).status(), UnknownSessionError("s"));
  EXPECT_EQ(metrics_.count(SessionEvent::kCreated), 0);
}

TEST_F(SessionTableQueueTest, AFailedCreationLeavesTheOldCauseOfTheEnd) {
  Create("s");
  ASSERT_TRUE(table_.Delete("s", now_).ok());
  { const SessionLease lease = AcquireOrCreate("s"); }
  EXPECT_EQ(Message("s"), "session 's' ended: deleted by its owner");
}

TEST_F(SessionTableQueueTest, AnExistingSessionIsNotCreatedAnew) {
  Create("s");
  AcquireNow("s").Commit(OneStep(), now_);
  RecordingWaiter waiter;
  auto lease = table_.Acquire("s", &other_model_, &waiter, now_);
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ((*lease)->position(), 1);
  EXPECT_EQ((*lease)->model(), model_);
}

TEST_F(SessionTableQueueTest, WhenACreationFailsTheNextThatWouldCreateDoes) {
  SessionLease running = AcquireOrCreate("s");
  running.state()[0] = 5;
  RecordingWaiter follower;
  RecordingWaiter creator;
  RecordingWaiter second_follower;
  ASSERT_TRUE(Wait("s", &follower));
  ASSERT_TRUE(Wait("s", &creator, &other_model_));
  ASSERT_TRUE(Wait("s", &second_follower));
  running.Release(now_);
  EXPECT_EQ(follower.heard.status(), UnknownSessionError("s"));
  ASSERT_TRUE(creator.heard.ok());
  EXPECT_EQ(creator.heard->model(), other_model_);
  EXPECT_EQ(creator.heard->position(), 0);
  for (int i = 0; i < 64; ++i) EXPECT_EQ(creator.heard->state()[i], 0);
  EXPECT_EQ(second_follower.calls, 0);
  creator.heard->Commit(OneStep(), now_);
  ASSERT_TRUE(second_follower.heard.ok());
  EXPECT_EQ(second_follower.heard->position(), 1);
  EXPECT_EQ(table_.Get("s", now_)->model, "other");
}

TEST_F(SessionTableQueueTest, WhenACreationFailsAndNoneWouldCreateTheSessionIsGone) {
  SessionLease running = AcquireOrCreate("s");
  RecordingWaiter followers[2];
  for (RecordingWaiter& follower : followers) ASSERT_TRUE(Wait("s", &follower));
  running.Release(now_);
  for (const RecordingWaiter& follower : followers) {
    EXPECT_EQ(follower.calls, 1);
    EXPECT_EQ(follower.heard.status().code(), absl::StatusCode::kNotFound);
  }
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(SessionTableQueueTest, ASessionCanBeDeletedBeforeItsFirstCommit) {
  SessionLease running = AcquireOrCreate("s");
  ASSERT_TRUE(table_.Delete("s", now_).ok());
  running.Commit(OneStep(), now_);
  EXPECT_EQ(Message("s"), "session 's' ended: deleted by its owner");
  EXPECT_EQ(metrics_.count(SessionEvent::kCreated), 0);
  EXPECT_EQ(metrics_.count(SessionEvent::kDeleted), 0);
  EXPECT_EQ(metrics_.sessions().Value(), 0);
}

}  // namespace
}  // namespace rondo
