#include "server/serve/moved_sessions.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::vector<std::pair<std::string, int64_t>> All(const MovedSessions& moved) {
  std::vector<std::pair<std::string, int64_t>> all;
  moved.ForEach(SIZE_MAX, [&all](absl::string_view id, int64_t position, uint64_t) { all.emplace_back(id, position); });
  return all;
}

TEST(MovedSessionsTest, KeepsTheNewestPositionOfEach) {
  MovedSessions moved;
  moved.Note(0, "a", 1);
  moved.Note(1, "b", 1);
  moved.Note(0, "a", 2);
  moved.Note(0, "b", 2);  // in another place of its message
  moved.Note(7, "c", 1);
  EXPECT_THAT(All(moved), ElementsAre(Pair("a", 2), Pair("b", 2), Pair("c", 1)));
}

TEST(MovedSessionsTest, WhatHasEndedIsForgottenUntilItBeginsAgain) {
  MovedSessions moved;
  moved.Note(0, "a", 1);
  moved.Forget("a");
  moved.Forget("never");
  EXPECT_THAT(All(moved), ElementsAre());
  moved.Note(0, "a", 1);
  EXPECT_THAT(All(moved), ElementsAre(Pair("a", 1)));
}

TEST(MovedSessionsTest, IsBounded) {
  MovedSessions moved;
  for (size_t i = 0; i < MovedSessions::kMaxSessions + 10; ++i) moved.Note(i, absl::StrCat("s", i), 1);
  EXPECT_EQ(All(moved).size(), MovedSessions::kMaxSessions);
  moved.Note(0, "s5", 9);
  EXPECT_EQ(All(moved)[5].second, 9);
  moved.Forget("s5");
  moved.Note(0, "new", 1);
  EXPECT_THAT(All(moved)[5], Pair("new", 1)) << "in the place of the one that has ended";
  int visited = 0;
  moved.ForEach(7, [&visited](absl::string_view, int64_t, uint64_t) { ++visited; });
  EXPECT_EQ(visited, 7);
}

TEST(MovedSessionsTest, WhereAllAreKeptTheirNumberIsBoundedAndTheirChangesAreHeard) {
  MovedSessions moved;
  std::vector<std::string> kept, gone;
  MemoryBudget memory(SIZE_MAX, [] { return size_t{0}; });
  moved.KeepAll([&](absl::string_view id, bool is_kept) { (is_kept ? kept : gone).emplace_back(id); });
  for (size_t i = 0; i < MovedSessions::kMaxKept; ++i) {
    ASSERT_TRUE(moved.CheckRoom(&memory).ok()) << i;
    moved.Note(i, absl::StrCat("s", i), 1);
  }
  const absl::Status full = moved.CheckRoom(&memory);
  EXPECT_EQ(RefusalOf(full).why, Why::kSessionsFull);
  EXPECT_THAT(std::string(full.message()), testing::HasSubstr("the stream has moved 65536 live sessions, the most"));
  EXPECT_EQ(kept.size(), MovedSessions::kMaxKept);
  moved.Forget("s7");
  EXPECT_TRUE(moved.CheckRoom(&memory).ok());
  EXPECT_FALSE(moved.PositionOf("s7"));
  EXPECT_EQ(moved.PositionOf("s8"), 1);
  moved.Note(0, "s7", 3);
  moved.Forget("never");
  EXPECT_THAT(gone, ElementsAre("s7", "never"));
  EXPECT_EQ(kept.back(), "s7");
  EXPECT_EQ(moved.PositionOf("s7"), 3);
}

TEST(MovedSessionsTest, WhatIsKeptIsChargedToTheMemory) {
  MovedSessions moved;
  MemoryBudget memory(10 * MovedSessions::kBytesOfSession, [] { return 9 * MovedSessions::kBytesOfSession; });
  moved.KeepAll(nullptr);
  moved.Note(0, "a", 1);
  moved.Note(1, "b", 1);
  EXPECT_EQ(RefusalOf(moved.CheckRoom(&memory)).why, Why::kOutOfMemory);
  EXPECT_EQ(RefusalOf(moved.CheckRoom(&memory)).why, Why::kOutOfMemory) << "as long as there is none";
  MemoryBudget roomy(SIZE_MAX, [] { return size_t{0}; });
  EXPECT_TRUE(moved.CheckRoom(&roomy).ok());
  EXPECT_TRUE(moved.CheckRoom(&memory).ok()) << "each is charged once";
}

TEST(MovedSessionsTest, AnotherSessionOfTheNameAtThePositionIsNotTheOneThatWasLeft) {
  MovedSessions moved;
  moved.Note(0, "a", 1, /*serial=*/7);
  EXPECT_TRUE(moved.IsAsLeft("a", 1, 7));
  EXPECT_TRUE(moved.IsAsLeft("a", 1, 0)) << "it came from the store, and may be that";
  EXPECT_FALSE(moved.IsAsLeft("a", 2, 7));
  EXPECT_FALSE(moved.IsAsLeft("a", 1, 8));
  EXPECT_FALSE(moved.IsAsLeft("b", 1, 7));
  moved.Note(0, "a", 1, 8);
  EXPECT_TRUE(moved.IsAsLeft("a", 1, 8));
}

TEST(MovedSessionsTest, AreVisitedInPieces) {
  MovedSessions moved;
  for (int i = 0; i < 5; ++i) moved.Note(0, absl::StrCat("s", i), 1);
  moved.Forget("s1");
  std::vector<std::string> visited;
  const auto visit = [&visited](absl::string_view id) { visited.emplace_back(id); };
  size_t next = 0;
  EXPECT_TRUE(moved.VisitSome(&next, 3, visit));
  EXPECT_THAT(visited, ElementsAre("s0", "s2"));
  EXPECT_FALSE(moved.VisitSome(&next, 3, visit));
  EXPECT_FALSE(moved.VisitSome(&next, 3, visit));
  EXPECT_THAT(visited, ElementsAre("s0", "s2", "s3", "s4"));
}

}  // namespace
}  // namespace rondo
