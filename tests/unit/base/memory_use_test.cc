#include "base/memory_use.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace rondo {
namespace {

TEST(MemoryUseTest, WhatAPeakLeftBetweenBlocksInUseGoesBackToTheSystem) {
  constexpr size_t kBlock = 4096, kBlocks = 20'000;  // 80 MB, below the size that glibc maps one by one
  HeapTrim trim;
  std::vector<std::unique_ptr<char[]>> blocks;
  for (size_t i = 0; i < kBlocks; ++i) {
    blocks.push_back(std::make_unique<char[]>(kBlock));
    blocks.back()[0] = 'x';
  }
  trim.TrimIfWorth();
  const size_t peak = ResidentMemory();
  ASSERT_GT(peak, kBlock * kBlocks);
  for (size_t i = 0; i < kBlocks; ++i) {
    if (i % 100 != 0) blocks[i].reset();
  }
  EXPECT_TRUE(trim.TrimIfWorth());
  EXPECT_LT(ResidentMemory(), peak - kBlock * kBlocks / 2);
  EXPECT_FALSE(trim.TrimIfWorth()) << "nothing was freed since";
}

}  // namespace
}  // namespace rondo
