#include "base/memory_use.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace rondo {
namespace {

class MemoryUseTest : public testing::Test {
 protected:
  static constexpr size_t kBlock = 4096, kBlocks = 20'000;  // 80 MB, below the size that glibc maps one by one

  void Fill() {
    blocks_.clear();
    for (size_t i = 0; i < kBlocks; ++i) {
      blocks_.push_back(std::make_unique<char[]>(kBlock));
      blocks_.back()[0] = 'x';
    }
  }
  // But for one of a hundred.
  void Free() {
    for (size_t i = 0; i < kBlocks; ++i) {
      if (i % 100 != 0) blocks_[i].reset();
    }
  }

  HeapTrim trim_;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

TEST_F(MemoryUseTest, WhatAPeakLeftBetweenBlocksInUseGoesBackToTheSystem) {
  Fill();
  trim_.TrimIfWorth();
  const size_t peak = ResidentMemory();
  ASSERT_GT(peak, kBlock * kBlocks);
  Free();
  EXPECT_TRUE(trim_.TrimIfWorth());
  EXPECT_LT(ResidentMemory(), peak - kBlock * kBlocks / 2);
  EXPECT_FALSE(trim_.TrimIfWorth()) << "nothing was freed since";
}

TEST_F(MemoryUseTest, APeakThatNobodySawGoesBackToo) {
  Fill();
  Free();
  trim_.TrimIfWorth();
  const size_t after_trim = ResidentMemory();
  Fill();
  Free();
  EXPECT_TRUE(trim_.TrimIfWorth());
  EXPECT_LT(ResidentMemory(), after_trim + kBlock * kBlocks / 10);
}

}  // namespace
}  // namespace rondo
