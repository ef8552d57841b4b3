#include "server/store/store_queue.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kAll = 1000;

StoreLoad LoadOf(const std::string& id) {
  return {id, [](SessionStore::Loaded) {}};
}

StoreSave SaveOf(const std::string& id, const std::string& value) {
  StoreSave save;
  save.id = id;
  save.value = value;
  save.done = [](const absl::Status&) {};
  return save;
}

std::vector<std::string> LoadedIds(StoreQueue* queue, size_t max = kAll) {
  std::vector<std::string> ids;
  for (const StoreQueue::Loads& loads : queue->TakeLoads(max)) ids.push_back(loads.id);
  return ids;
}

std::vector<std::string> SavedValues(StoreQueue* queue, size_t max = kAll) {
  std::vector<std::string> values;
  for (const StoreQueue::Saves& saves : queue->TakeSaves(max)) values.push_back(saves.newest.value);
  return values;
}

TEST(StoreQueueTest, TakesTheOldestFirstAndNoMoreThanAskedFor) {
  StoreQueue queue;
  for (int i = 0; i < 5; ++i) {
    queue.Add(LoadOf(absl::StrCat("load", i)));
    queue.Add(SaveOf(absl::StrCat("save", i), absl::StrCat("value", i)));
  }
  EXPECT_THAT(LoadedIds(&queue, 2), ElementsAre("load0", "load1"));
  EXPECT_THAT(SavedValues(&queue, 3), ElementsAre("value0", "value1", "value2"));
  EXPECT_THAT(LoadedIds(&queue), ElementsAre("load2", "load3", "load4"));
  EXPECT_FALSE(queue.empty());
  EXPECT_THAT(SavedValues(&queue), ElementsAre("value3", "value4"));
  EXPECT_TRUE(queue.empty());
}

TEST(StoreQueueTest, ALoadWaitsForTheSaveOfItsIdBeforeItAndOvertakesOthers) {
  StoreQueue queue;
  queue.Add(SaveOf("a", "1"));
  queue.Add(SaveOf("b", "2"));
  queue.Add(LoadOf("b"));
  queue.Add(LoadOf("c"));
  EXPECT_THAT(LoadedIds(&queue), ElementsAre("c"));
  EXPECT_THAT(SavedValues(&queue), ElementsAre("1", "2"));
  EXPECT_THAT(LoadedIds(&queue), ElementsAre("b"));
}

TEST(StoreQueueTest, ASaveWaitsForTheLoadOfItsIdBeforeIt) {
  StoreQueue queue;
  queue.Add(LoadOf("a"));
  queue.Add(SaveOf("a", "1"));
  EXPECT_THAT(SavedValues(&queue), IsEmpty());
  EXPECT_THAT(LoadedIds(&queue), ElementsAre("a"));
  EXPECT_THAT(SavedValues(&queue), ElementsAre("1"));
}

TEST(StoreQueueTest, OfSavesThatFollowEachOtherTheNewestIsTakenWithAllThatWaitForIt) {
  StoreQueue queue;
  for (const char* value : {"1", "2", "3"}) queue.Add(SaveOf("a", value));
  const std::vector<StoreQueue::Saves> taken = queue.TakeSaves(kAll);
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].newest.value, "3");
  EXPECT_EQ(taken[0].superseded.size(), 2u);
}

TEST(StoreQueueTest, SavesWithALoadBetweenThemAreNotOne) {
  StoreQueue queue;
  queue.Add(SaveOf("a", "1"));
  queue.Add(LoadOf("a"));
  queue.Add(LoadOf("a"));
  queue.Add(SaveOf("a", "2"));
  EXPECT_THAT(SavedValues(&queue), ElementsAre("1"));
  const std::vector<StoreQueue::Loads> loads = queue.TakeLoads(kAll);
  ASSERT_EQ(loads.size(), 1u);
  EXPECT_EQ(loads[0].loads.size(), 2u);
  EXPECT_THAT(SavedValues(&queue), ElementsAre("2"));
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace rondo
