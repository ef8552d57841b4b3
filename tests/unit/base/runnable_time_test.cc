#include "base/runnable_time.h"

#include <gtest/gtest.h>
#include <time.h>

namespace rondo {
namespace {

absl::Duration CpuTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

TEST(RunnableTimeTest, GrowsAtLeastAsMuchAsTheThreadRuns) {
  const RunnableTime runnable;
  const absl::Duration before = runnable.Read();
  if (before == absl::ZeroDuration()) GTEST_SKIP() << "this kernel does not say";
  const absl::Duration start = CpuTime();
  while (CpuTime() - start < absl::Milliseconds(20)) {
  }
  EXPECT_GE(runnable.Read() - before, absl::Milliseconds(10));  // the kernel counts by its ticks
}

}  // namespace
}  // namespace rondo
