// A binary of its own: it counts every allocation of the process.
#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/unit/session/session_fixture.h"

namespace {
std::atomic<size_t> allocations{0};
}  // namespace

void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

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
