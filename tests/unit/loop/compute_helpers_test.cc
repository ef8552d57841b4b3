#include "server/loop/compute_helpers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace rondo {
namespace {

TEST(ComputeHelpersTest, EveryPartRunsExactlyOnce) {
  for (const size_t count : {0u, 1u, 3u}) {
    ComputeHelpers helpers(count);
    EXPECT_EQ(helpers.count(), count);
    for (const size_t parts : {0u, 1u, 2u, 7u, 100u}) {
      std::vector<std::atomic<int>> calls(parts);
      helpers.Run(parts, [&](size_t part) { ++calls[part]; });
      for (const std::atomic<int>& n : calls) EXPECT_EQ(n, 1);
    }
  }
}

TEST(ComputeHelpersTest, WithoutHelpersEverythingRunsOnTheCallersThread) {
  ComputeHelpers helpers(0);
  helpers.Run(4, [caller = std::this_thread::get_id()](size_t) { EXPECT_EQ(std::this_thread::get_id(), caller); });
}

TEST(ComputeHelpersTest, PartsRunAtTheSameTime) {
  ComputeHelpers helpers(1);
  std::atomic<int> arrived{0};
  // Each part waits for the other one: this ends only if two threads run them.
  helpers.Run(2, [&](size_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
}

TEST(ComputeHelpersTest, SeveralCallersShareTheHelpers) {
  ComputeHelpers helpers(2);
  std::atomic<int> total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 3; ++c) {
    callers.emplace_back([&] {
      for (int i = 0; i < 300; ++i) helpers.Run(4, [&](size_t) { ++total; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total, 3 * 300 * 4);
}

}  // namespace
}  // namespace rondo
