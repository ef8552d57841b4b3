#include "server/rpc/call/message_ring.h"

#include <functional>
#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/rpc/call/read_pace.h"

namespace rondo {
namespace {

using testing::ElementsAre;

struct FakeMessage {
  void Cancel() {
    cancelled = true;
    if (on_cancel) on_cancel();
  }
  void Clear() { ++clears; }

  bool cancelled = false;
  int clears = 0;
  std::function<void()> on_cancel;
};

class MessageRingTest : public testing::Test {
 protected:
  FakeMessage* BeginRead() {
    return ring_.BeginRead([this] {
      ++made_;
      return std::make_unique<FakeMessage>();
    });
  }
  FakeMessage* Read() {
    BeginRead();
    return ring_.EndRead();
  }

  MessageRing<FakeMessage> ring_{3};
  int made_ = 0;
};

TEST_F(MessageRingTest, AnswersInTheOrderOfReading) {
  FakeMessage* const first = Read();
  FakeMessage* const second = Read();
  EXPECT_EQ(ring_.oldest(), first);
  ring_.FreeOldest();
  EXPECT_EQ(first->clears, 1);
  EXPECT_EQ(ring_.oldest(), second);
  ring_.FreeOldest();
  EXPECT_TRUE(ring_.empty());
}

TEST_F(MessageRingTest, ReadsOneMessageAtATime) {
  BeginRead();
  EXPECT_FALSE(ring_.CanRead());
  EXPECT_TRUE(ring_.empty());
  ring_.EndRead();
  EXPECT_TRUE(ring_.CanRead());
  EXPECT_FALSE(ring_.empty());
}

TEST_F(MessageRingTest, ReadsNoFurtherAheadThanItHasPlaces) {
  for (int i = 0; i < 3; ++i) Read();
  EXPECT_FALSE(ring_.CanRead());
  ring_.FreeOldest();
  EXPECT_TRUE(ring_.CanRead());
}

TEST_F(MessageRingTest, AReadThatBringsNothingLeavesItsPlaceFree) {
  FakeMessage* const dropped = BeginRead();
  ring_.DropRead();
  EXPECT_TRUE(ring_.empty());
  EXPECT_EQ(BeginRead(), dropped);
}

TEST_F(MessageRingTest, TheFreedMessageIsReadIntoNext) {
  FakeMessage* const first = Read();
  Read();
  ring_.FreeOldest();
  EXPECT_EQ(BeginRead(), first);
  EXPECT_EQ(made_, 2);
}

TEST_F(MessageRingTest, AMessageFreedDuringAReadIsReadIntoAfterIt) {
  FakeMessage* const first = Read();
  FakeMessage* const second = BeginRead();
  ring_.FreeOldest();
  EXPECT_EQ(ring_.EndRead(), second);
  EXPECT_EQ(BeginRead(), first);
  EXPECT_EQ(made_, 2);
}

TEST_F(MessageRingTest, AMessageFreedDuringTheReadThatFillsTheRingIsReadIntoAfterIt) {
  FakeMessage* const first = Read();
  Read();
  FakeMessage* const third = BeginRead();
  ring_.FreeOldest();
  EXPECT_EQ(ring_.EndRead(), third);
  EXPECT_EQ(BeginRead(), first);
  EXPECT_EQ(made_, 3);
}

TEST_F(MessageRingTest, AStreamOfSingleMessagesMakesTwo) {
  BeginRead();
  for (int i = 0; i < 100; ++i) {
    FakeMessage* const message = ring_.EndRead();
    BeginRead();
    EXPECT_EQ(ring_.oldest(), message);
    ring_.FreeOldest();
  }
  EXPECT_EQ(made_, 2);
}

TEST_F(MessageRingTest, KeepsTheOrderOverManyRounds) {
  std::vector<FakeMessage*> waiting;
  for (int i = 0; i < 300; ++i) {
    while (ring_.CanRead() && (i + waiting.size()) % 5 != 4) waiting.push_back(Read());
    if (waiting.empty()) continue;
    ASSERT_EQ(ring_.oldest(), waiting.front());
    ring_.FreeOldest();
    waiting.erase(waiting.begin());
  }
  EXPECT_LE(made_, 3);
}

TEST_F(MessageRingTest, CancelsOnlyWhatIsNotFreed) {
  FakeMessage* const freed = Read();
  FakeMessage* const waiting = Read();
  ring_.FreeOldest();
  ring_.CancelAll();
  EXPECT_FALSE(freed->cancelled);
  EXPECT_TRUE(waiting->cancelled);
}

// A message that waited for a session ends as it is cancelled; the stream then frees it, and those behind it that had
// ended before.
TEST_F(MessageRingTest, MessagesMayBeFreedWhileAllAreCancelled) {
  FakeMessage* const waiting = Read();
  FakeMessage* const ended = Read();
  waiting->on_cancel = [this] {
    ring_.FreeOldest();
    ring_.FreeOldest();
  };
  ring_.CancelAll();
  EXPECT_TRUE(ring_.empty());
  EXPECT_THAT((std::vector<bool>{waiting->cancelled, ended->cancelled}), ElementsAre(true, true));
}

TEST(ReadPaceTest, AMessageThatHadToComeIsFollowedByTheTurnsReplies) {
  ReadPace pace;
  pace.ReadStarted(1);
  EXPECT_FALSE(pace.ReadsOnAtOnce(2));
}

TEST(ReadPaceTest, AMessageThatWasThereIsFollowedAtOnce) {
  ReadPace pace;
  pace.ReadStarted(1);
  EXPECT_TRUE(pace.ReadsOnAtOnce(1));
}

TEST(ReadPaceTest, TheFirstMessageAfterARowIsFollowedAtOnceAndTheSecondIsNot) {
  ReadPace pace;
  pace.ReadStarted(1);
  EXPECT_TRUE(pace.ReadsOnAtOnce(1));
  pace.ReadStarted(1);
  EXPECT_TRUE(pace.ReadsOnAtOnce(2));
  pace.ReadStarted(2);
  EXPECT_FALSE(pace.ReadsOnAtOnce(3));
}

}  // namespace
}  // namespace rondo
