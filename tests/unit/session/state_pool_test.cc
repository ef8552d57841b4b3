#include "server/session/state_pool.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace rondo {
namespace {

TEST(StatePoolTest, SlotsAreApartAndAligned) {
  StatePool pool;
  std::vector<StateSlot> slots;
  std::set<std::pair<uintptr_t, uintptr_t>> ranges;
  for (const size_t size : {1, 16, 17, 128, 5000}) {
    for (int i = 0; i < 100; ++i) {
      slots.push_back(pool.TakeInitial(size));
      const auto begin = reinterpret_cast<uintptr_t>(slots.back().get());
      EXPECT_EQ(begin % 64, 0u);
      ranges.insert({begin, begin + size * sizeof(float)});
    }
  }
  ASSERT_EQ(ranges.size(), 500u);
  for (auto range = ranges.begin(); std::next(range) != ranges.end(); ++range) {
    EXPECT_LE(range->second, std::next(range)->first);
  }
}

TEST(StatePoolTest, AReusedSlotIsZero) {
  StatePool pool;
  float* first = nullptr;
  {
    StateSlot slot = pool.TakeInitial(100);
    first = slot.get();
    std::fill_n(first, 100, 7.0f);
  }
  const StateSlot again = pool.TakeInitial(100);
  EXPECT_EQ(again.get(), first);
  EXPECT_EQ(std::count(again.get(), again.get() + 100, 0.0f), 100);
}

TEST(StatePoolTest, ASlotGoesBackOnce) {
  StatePool pool;
  StateSlot a = pool.TakeUndefined(8);
  StateSlot b = std::move(a);
  a.Reset();  // NOLINT(bugprone-use-after-move)
  StateSlot& itself = b;
  b = std::move(itself);
  EXPECT_NE(b.get(), nullptr);
  const StateSlot c = pool.TakeUndefined(8);
  EXPECT_NE(b.get(), c.get());
  b.Reset();
  b.Reset();
  const StateSlot d = pool.TakeUndefined(8);
  const StateSlot e = pool.TakeUndefined(8);
  EXPECT_NE(d.get(), e.get());
}

TEST(StatePoolTest, MemoryGrowsWithTheMostSlotsInUseAndNotWithTheirNumberInAll) {
  StatePool pool;
  EXPECT_EQ(pool.bytes(), 0u);
  for (int i = 0; i < 10'000; ++i) pool.TakeUndefined(128);
  const size_t one_slab = pool.bytes();
  EXPECT_GT(one_slab, 0u);
  std::vector<StateSlot> slots;
  while ((slots.size() + 1) * 512 < one_slab) slots.push_back(pool.TakeUndefined(128));
  EXPECT_EQ(pool.bytes(), one_slab);
  slots.push_back(pool.TakeUndefined(128));
  EXPECT_EQ(pool.bytes(), 2 * one_slab);
}

TEST(StatePoolTest, MemoryGoesBackWhenStatesDo) {
  StatePool pool;
  std::vector<StateSlot> slots;
  for (int i = 0; i < 10'000; ++i) slots.push_back(pool.TakeInitial(128));
  const size_t most = pool.bytes();
  for (size_t i = 0; i < slots.size(); i += 2) slots[i].Reset();
  EXPECT_EQ(pool.bytes(), most) << "each slab has a slot in use";
  for (StateSlot& slot : slots) slot.Reset();
  EXPECT_LT(pool.bytes(), most / 10);
  for (int i = 0; i < 10'000; ++i) slots.push_back(pool.TakeInitial(128));
  EXPECT_EQ(pool.bytes(), most);
}

TEST(StatePoolTest, AStateBiggerThanASlabHasItsOwn) {
  StatePool pool;
  const StateSlot slot = pool.TakeInitial(1 << 20);
  EXPECT_EQ(slot.get()[(1 << 20) - 1], 0.0f);
  EXPECT_EQ(pool.bytes(), (size_t{4} << 20) + 64);
}

TEST(StatePoolTest, ThreadsNeverShareASlot) {
  StatePool pool;
  std::vector<std::thread> threads;
  for (int thread = 1; thread <= 4; ++thread) {
    threads.emplace_back([&pool, thread] {
      for (int i = 0; i < 2000; ++i) {
        StateSlot a = pool.TakeInitial(32);
        StateSlot b = pool.TakeUndefined(32);
        std::fill_n(a.get(), 32, static_cast<float>(thread));
        std::fill_n(b.get(), 32, static_cast<float>(-thread));
        ASSERT_EQ(std::count(a.get(), a.get() + 32, static_cast<float>(thread)), 32);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace rondo
