// A binary of its own: it counts every allocation of the process.
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "tests/unit/count_allocations.h"
#include "tests/unit/session/memory_store.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {
namespace {

using SessionAllocationTest = SessionFixture;

TEST_F(SessionAllocationTest, AStepOfALiveSessionAllocatesNothing) {
  Create("s");
  const CommittedSequence step = OneStep();
  AcquireNow("s").Commit(step, now_);
  const size_t before = allocations;
  for (int i = 0; i < 1000; ++i) {
    SessionLease lease = AcquireNow("s");
    lease.working_state()[0] = 1;
    lease.Commit(step, now_);
    AcquireNow("s").Release(now_);
    table_.AcquireStateless(model_).Commit(step, now_);
  }
  EXPECT_EQ(allocations - before, 0u);
}

TEST_F(SessionAllocationTest, AStepThatIsToBeSavedAllocatesNothingAfterEitherOfTwoSaves) {
  SessionPersistence persistence;
  persistence.store = std::make_unique<MemoryStore>(std::make_shared<MemoryDisk>());
  persistence.sync_interval = absl::Hours(1);
  Metrics all_metrics;
  persistence.metrics = &all_metrics;
  SessionTable table({}, std::move(persistence));
  ASSERT_TRUE(table.Create("s", model_, std::nullopt, now_).ok());
  const auto step = [&] {
    std::optional<SessionLease> lease = *table.Acquire("s", nullptr, nullptr, now_);
    const CommittedSequence sequence = OneStep();
    const size_t before = allocations;
    lease->Commit(sequence, now_);
    return allocations - before;
  };
  for (int save = 0; save < 2; ++save) {
    step();
    ASSERT_TRUE(table.Flush(absl::InfiniteFuture()));
  }
  EXPECT_EQ(step(), 0u);
  ASSERT_TRUE(table.Flush(absl::InfiniteFuture()));
  EXPECT_EQ(step(), 0u);
}

TEST_F(SessionAllocationTest, WaitingForASessionAllocatesNothing) {
  Create("s");
  const CommittedSequence step = OneStep();
  RecordingWaiter waiter;
  AcquireNow("s").Commit(step, now_);
  waiter.heard = SessionLease();  // frees the text it begins with
  const size_t before = allocations;
  for (int i = 0; i < 1000; ++i) {
    SessionLease running = AcquireNow("s");
    ASSERT_TRUE(Wait("s", &waiter));
    running.Commit(step, now_);
    waiter.heard->Commit(step, now_);
    running = AcquireNow("s");
    ASSERT_TRUE(Wait("s", &waiter));
    ASSERT_TRUE(table_.CancelWait("s", &waiter));
  }
  EXPECT_EQ(allocations - before, 0u);
}

}  // namespace
}  // namespace rondo
