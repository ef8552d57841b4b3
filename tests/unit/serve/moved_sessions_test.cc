#include "server/serve/moved_sessions.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::vector<std::pair<std::string, int64_t>> All(const MovedSessions& moved) {
  std::vector<std::pair<std::string, int64_t>> all;
  moved.ForEach([&all](absl::string_view id, int64_t position) { all.emplace_back(id, position); });
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
  moved.Forget(0, "a");
  moved.Forget(0, "never");
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
}

}  // namespace
}  // namespace rondo
