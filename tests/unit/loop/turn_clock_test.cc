#include "server/loop/turn_clock.h"

#include <gtest/gtest.h>

namespace rondo {
namespace {

class TurnClockTest : public ::testing::Test {
 protected:
  absl::Time At(int milliseconds) const { return start_ + absl::Milliseconds(milliseconds); }

  const absl::Time start_ = absl::FromUnixSeconds(1000);
  ServingLoopProbe loop_;
  LoopsProbe loops_;
  TurnClock clock_{&loop_, &loops_, start_};
};

TEST_F(TurnClockTest, AWaitIsNotBusyTime) {
  clock_.ReadAll(At(10));
  clock_.Wake(At(500));
  clock_.ReadAll(At(520));
  EXPECT_DOUBLE_EQ(loop_.busy.Read().value, 0.03);
  CountAndTime turns;
  loops_.turn.AddTo(&turns);
  EXPECT_EQ(turns.count, 2u);
  EXPECT_EQ(turns.nanoseconds, 30'000'000u);
}

TEST_F(TurnClockTest, AMessageMayHaveComeSinceAllWasRead) {
  clock_.ReadAll(At(10));
  EXPECT_EQ(clock_.unread_since(), At(10));
  clock_.Wake(At(500));  // nothing had come before
  EXPECT_EQ(clock_.unread_since(), At(500));
}

TEST_F(TurnClockTest, ATurnThatLeavesMessagesUnreadIsBusyButDoesNotMakeThemYounger) {
  clock_.ReadAll(At(10));
  clock_.EndTurn(At(40));
  clock_.EndTurn(At(70));
  EXPECT_EQ(clock_.unread_since(), At(10));
  EXPECT_DOUBLE_EQ(loop_.busy.Read().value, 0.07);
}

}  // namespace
}  // namespace rondo
