#include "server/serve/memory_budget.h"

#include <vector>

#include "gmock/gmock.h"
#include "server/serve/work_budget.h"
#include "tests/unit/serve/serve_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;

TEST(MemoryBudgetTest, TakesUpToTheLimitAndLooksMoreOftenTheNearerItIs) {
  size_t used = 0;
  int looks = 0;
  MemoryBudget memory(1000, [&] {
    ++looks;
    return used;
  });
  size_t taken = 0;
  for (; memory.Take(10).ok(); taken += 10) used = taken + 10;
  EXPECT_EQ(taken, 1000u);
  EXPECT_GE(looks, 3);
  EXPECT_LE(looks, 20);
  const absl::Status full = memory.Take(10);
  EXPECT_EQ(RefusalOf(full).why, Why::kOutOfMemory);
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(full.message(), "the server uses 1000 bytes of max_memory=1000; the request takes 10 more");
  used = 500;
  EXPECT_TRUE(memory.Take(400).ok());
}

TEST(MemoryBudgetTest, ARequestThatMemoryHasNoRoomForTakesNoneOfTheWork) {
  MemoryBudget memory(100, [] { return 50; });
  WorkBudget budget(WorkLimits(), &memory);
  EXPECT_EQ(RefusalOf(budget.Take({1, 51})).why, Why::kOutOfMemory);
  EXPECT_EQ(budget.steps(), 0u);
  EXPECT_TRUE(budget.Take({1, 50}).ok());
}

using FullMemoryTest = ServeFixture;

TEST_F(FullMemoryTest, LiveSessionsGoOnAndNewOnesAreRefused) {
  Run(Of("s", 0, one_));
  used_memory_ = size_t{1} << 30;
  while (memory_.Take(1 << 20).ok()) {  // what the last look has left
  }
  EXPECT_TRUE(Run(Of("s", 0, one_)).status.ok()) << "a retry of the first step is answered as it was";
  EXPECT_THAT(last_values_, ElementsAre(1));
  EXPECT_TRUE(Run(Of("s", 1, one_)).status.ok());
  EXPECT_THAT(last_values_, ElementsAre(2));
  ExpectRefused(Run(Of("new", 0, one_)).status, Why::kOutOfMemory, "out_of_memory",
                absl::StatusCode::kResourceExhausted, 100);
  used_memory_ = 0;
  EXPECT_TRUE(Run(Of("new", 0, one_)).status.ok());
}

}  // namespace
}  // namespace rondo
