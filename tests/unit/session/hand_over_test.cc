// Tables of several servers that share a store.

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/steady_time.h"
#include "gtest/gtest.h"
#include "tests/unit/session/stored_sessions_fixture.h"

namespace rondo {
namespace {

class HandOverTest : public StoredSessionsTest {
 protected:
  HandOverTest() { disk_->Share(); }

  // Never saves by itself in the time of a test: what another table sees was saved when it asked.
  std::unique_ptr<SessionTable> OpenSlow() { return Open(Durability::kInterval, 100, absl::Hours(1)); }
};

TEST_F(HandOverTest, NothingIsLostBetweenLiveTables) {
  const auto first = OpenSlow();
  const auto second = OpenSlow();
  ASSERT_TRUE(Step(first.get(), "s", 1, true).ok());
  for (int move = 1; move < 200; ++move) {
    absl::StatusOr<SessionLease> lease = Acquire(move % 2 == 0 ? first.get() : second.get(), "s");
    ASSERT_TRUE(lease.ok()) << lease.status();
    EXPECT_EQ(lease->position(), move);
    EXPECT_EQ(lease->state()[0], static_cast<float>(move));
    EXPECT_FALSE(lease->went_back());
    ASSERT_TRUE(Step(std::move(lease), static_cast<float>(move + 1)).ok());
  }
  EXPECT_EQ(metrics_.count(SessionEvent::kWentBack), 0);
  // The table that let the session go has it until its thread has cleaned up.
  while (first->size() + second->size() != 1) absl::SleepFor(absl::Milliseconds(1));
}

TEST_F(HandOverTest, WhoRunsFinishesFirstAndWhoWaitsHereGetsTheSessionBack) {
  const auto first = OpenSlow();
  const auto second = OpenSlow();
  ASSERT_TRUE(Step(first.get(), "s", 1, true).ok());
  absl::StatusOr<SessionLease> running = Acquire(first.get(), "s");
  LeaseFuture waits_here;
  LeaseFuture waits_there;
  ASSERT_FALSE(first->Acquire("s", nullptr, &waits_here, SteadyNow())->has_value());
  disk_->PauseLoads();
  ASSERT_FALSE(second->Acquire("s", nullptr, &waits_there, SteadyNow())->has_value());
  disk_->AwaitLoad();
  disk_->Resume();
  ASSERT_TRUE(Step(std::move(running), 2).ok());
  // In either order; each sees what the other did.
  const auto step = [this](LeaseFuture* waits) {
    return std::async(std::launch::async, [this, waits] {
      absl::StatusOr<SessionLease> lease = waits->Get();
      const int64_t position = lease->position();
      EXPECT_EQ(Step(std::move(lease), 3), absl::OkStatus());
      return position;
    });
  };
  auto here = step(&waits_here);
  auto there = step(&waits_there);
  EXPECT_EQ(here.get() + there.get(), 2 + 3);
}

TEST_F(HandOverTest, WhatHasLeftTheOwnersMemoryIsHandedOverToo) {
  const auto first = Open(Durability::kInterval, 16);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Step(first.get(), absl::StrCat("s", i), 1, true).ok());
  ASSERT_TRUE(Flush(first.get()));
  const auto second = OpenSlow();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Acquire(second.get(), absl::StrCat("s", i))->position(), 1);
}

TEST_F(HandOverTest, AnEndIsKnownEverywhere) {
  const auto first = OpenSlow();
  const auto second = OpenSlow();
  ASSERT_TRUE(Step(first.get(), "s", 1, true).ok());
  ASSERT_TRUE(Step(second.get(), "s", 2, false, true).ok());
  EXPECT_EQ(Acquire(first.get(), "s").status().message(), "session 's' ended: ended by its owner");
  ASSERT_TRUE(Step(first.get(), "s", 3, true).ok());
  EXPECT_EQ(Acquire(second.get(), "s")->position(), 1);
}

TEST_F(HandOverTest, EveryReplyHandsOverTooAndNoCommitIsRefused) {
  const auto first = Open(Durability::kEveryReply);
  const auto second = Open(Durability::kEveryReply);
  ASSERT_TRUE(Step(first.get(), "s", 1, true).ok());
  for (int move = 1; move < 50; ++move) {
    EXPECT_EQ(Step(move % 2 == 0 ? first.get() : second.get(), "s", 1), absl::OkStatus());
  }
  EXPECT_EQ(Acquire(first.get(), "s")->position(), 50);
}

TEST_F(HandOverTest, WhatATableThatEndedDidNotSaveIsSaidOnce) {
  auto lost = OpenSlow();
  ASSERT_TRUE(Step(lost.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(lost.get()));
  ASSERT_TRUE(Step(lost.get(), "s", 2).ok());
  lost.reset();
  auto second = OpenSlow();
  absl::StatusOr<SessionLease> lease = Acquire(second.get(), "s");
  EXPECT_EQ(lease->position(), 1);
  EXPECT_TRUE(lease->went_back());
  lease->Release(SteadyNow());
  const auto third = OpenSlow();
  lease = Acquire(third.get(), "s");
  EXPECT_TRUE(lease->went_back()) << "it moved on before anyone was told";
  lease->Release(SteadyNow());
  third->HeardThatItWentBack("s", 2);
  EXPECT_TRUE(Acquire(third.get(), "s")->went_back()) << "it never stood there";
  third->HeardThatItWentBack("s", 1);
  EXPECT_FALSE(Acquire(third.get(), "s")->went_back());
  EXPECT_FALSE(Acquire(second.get(), "s")->went_back());
  EXPECT_EQ(metrics_.count(SessionEvent::kWentBack), 2);
}

TEST_F(HandOverTest, ATableThatEndedWithEverythingSavedLeavesNoDoubt) {
  auto first = OpenSlow();
  ASSERT_TRUE(Step(first.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(first.get()));
  first.reset();
  EXPECT_FALSE(Acquire(OpenSlow().get(), "s")->went_back());
}

TEST_F(HandOverTest, ATableThatWasPassedOverLooksAgainBeforeItGoesOn) {
  const auto first = OpenSlow();
  MemoryStore* const first_store = store_;
  ASSERT_TRUE(Step(first.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(first.get()));
  ASSERT_TRUE(Step(first.get(), "s", 2).ok());
  first_store->Lapse();
  const auto second = OpenSlow();
  absl::StatusOr<SessionLease> lease = Acquire(second.get(), "s");
  EXPECT_TRUE(lease->went_back());
  ASSERT_TRUE(Step(std::move(lease), 7).ok());
  lease = Acquire(first.get(), "s");
  ASSERT_TRUE(lease.ok()) << lease.status();
  EXPECT_EQ(lease->position(), 2);
  EXPECT_EQ(lease->state()[0], 7) << "what the first did after its last save is lost, and was said";
}

TEST_F(HandOverTest, ASessionWhoseLettingGoIsNotAnsweredIsNobodysUntilItIs) {
  const auto first = OpenSlow();
  const auto second = OpenSlow();
  ASSERT_TRUE(Step(first.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(first.get()));
  ASSERT_TRUE(Step(first.get(), "s", 2).ok());
  disk_->FailWith("s", absl::UnavailableError("away"));
  LeaseFuture there;
  ASSERT_FALSE(second->Acquire("s", nullptr, &there, SteadyNow())->has_value());
  disk_->AwaitRefusals(1);
  LeaseFuture here;
  ASSERT_FALSE(first->Acquire("s", nullptr, &here, SteadyNow())->has_value());
  disk_->FailWith("s", absl::OkStatus());
  // In either order: who has the session first lets go of it for the other.
  const auto position = [](LeaseFuture* waits) {
    return std::async(std::launch::async, [waits] { return waits->Get()->position(); });
  };
  std::future<int64_t> position_there = position(&there);
  std::future<int64_t> position_here = position(&here);
  EXPECT_EQ(position_there.get(), 2);
  EXPECT_EQ(position_here.get(), 2);
}

}  // namespace
}  // namespace rondo
