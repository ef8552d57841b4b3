// A session table with a store behind it.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/session/stored_sessions_fixture.h"

namespace rondo {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(StoredSessionsTest, ASessionGoesOnInTheNextTable) {
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Step(table.get(), "s", 2).ok());
  ASSERT_TRUE(Flush(table.get()));
  table = Open();

  absl::StatusOr<SessionLease> lease = Acquire(table.get(), "s");
  ASSERT_TRUE(lease.ok()) << lease.status();
  EXPECT_EQ(lease->position(), 2);
  EXPECT_EQ(lease->durable_position(), 2);
  EXPECT_EQ(lease->state()[kStateSize - 1], 2);
  EXPECT_THAT(lease->last_reply(), ElementsAre(2));
  EXPECT_EQ(lease->Check(1, 1, 2), PositionCheck::kReplay);
  EXPECT_EQ(metrics_.count(SessionEvent::kRestored), 1);
}

TEST_F(StoredSessionsTest, OneThatBeganWithAStateOfItsOwnBeginsThereInTheNextTable) {
  auto table = Open();
  const std::vector<float> state(kStateSize, 0.5f);
  ASSERT_TRUE(table->Create("s", model_, std::nullopt, absl::Now(), state).ok());
  ASSERT_TRUE(Flush(table.get()));
  table = Open();
  absl::StatusOr<SessionLease> lease = Acquire(table.get(), "s");
  ASSERT_TRUE(lease.ok()) << lease.status();
  EXPECT_EQ(lease->position(), 0);
  EXPECT_THAT(std::vector<float>(lease->state(), lease->state() + kStateSize), Each(0.5f));
}

TEST_F(StoredSessionsTest, AChangeIsSavedByItselfAndTheReplySaysSo) {
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  while (Acquire(table.get(), "s")->durable_position() != 1) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_TRUE(disk_->Has("s"));
}

TEST_F(StoredSessionsTest, ASessionThatIsAlwaysBusyIsSavedToo) {
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  const uint64_t before = disk_->saves();
  absl::StatusOr<SessionLease> lease = Acquire(table.get(), "s");
  while (disk_->saves() < before + 3) {  // the lease is never free when the tick looks
    CommittedSequence sequence;
    sequence.timesteps = 1;
    LeaseFuture next;
    ASSERT_FALSE(table->Acquire("s", nullptr, &next, absl::Now())->has_value());
    ASSERT_TRUE(lease->Commit(sequence, absl::Now())->ok());
    lease = next.Get();
  }
}

TEST_F(StoredSessionsTest, EveryReplyWaitsForTheStore) {
  auto table = Open(Durability::kEveryReply);
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  EXPECT_TRUE(disk_->Has("s"));

  disk_->Pause();
  absl::StatusOr<SessionLease> lease = Acquire(table.get(), "s");
  lease->next_state()[0] = 9;
  const float reply[] = {9};
  CommittedSequence sequence;
  sequence.timesteps = 1;
  sequence.reply = reply;
  CommitFuture committed;
  EXPECT_EQ(lease->Commit(sequence, absl::Now(), &committed), std::nullopt);
  EXPECT_EQ(table->Get("s", absl::Now())->position, 1);  // not before it is durable
  disk_->Resume();
  EXPECT_TRUE(committed.Get().ok());
  EXPECT_EQ(table->Get("s", absl::Now())->position, 2);
  table = Open();
  EXPECT_EQ(Acquire(table.get(), "s")->position(), 2);
}

TEST_F(StoredSessionsTest, WhatAnotherServerTookIsGivenUp) {
  for (const Durability durability : {Durability::kInterval, Durability::kEveryReply}) {
    disk_ = std::make_shared<MemoryDisk>();
    auto first = Open(durability);
    ASSERT_TRUE(Step(first.get(), "s", 1, true).ok());
    ASSERT_TRUE(Flush(first.get()));
    auto second = Open(durability);
    ASSERT_TRUE(Step(second.get(), "s", 2).ok());
    ASSERT_TRUE(Flush(second.get()));

    const absl::Status stale = Step(first.get(), "s", 9);
    if (durability == Durability::kEveryReply) {
      EXPECT_TRUE(absl::IsAborted(stale)) << stale;
    } else {
      EXPECT_TRUE(stale.ok());
      ASSERT_TRUE(Flush(first.get()));
    }
    EXPECT_EQ(first->size(), 0u);
    absl::StatusOr<SessionLease> back = Acquire(first.get(), "s");
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->position(), 2);
    EXPECT_EQ(back->state()[0], 2);
  }
  EXPECT_EQ(metrics_.count(SessionEvent::kMoved), 2);
}

TEST_F(StoredSessionsTest, ALeaseOnASessionThatMovedCannotCommit) {
  auto first = Open();
  ASSERT_TRUE(Step(first.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(first.get()));
  disk_->Pause();
  ASSERT_TRUE(Step(first.get(), "s", 2).ok());
  disk_->AwaitSave();
  auto second = Open();
  EXPECT_EQ(Acquire(second.get(), "s")->position(), 1);
  absl::StatusOr<SessionLease> running = Acquire(first.get(), "s");
  LeaseFuture waiting;
  ASSERT_FALSE(first->Acquire("s", nullptr, &waiting, absl::Now())->has_value());
  disk_->Resume();
  EXPECT_TRUE(absl::IsAborted(waiting.Get().status()));
  CommittedSequence sequence;
  sequence.timesteps = 1;
  EXPECT_TRUE(absl::IsAborted(*running->Commit(sequence, absl::Now())));
}

TEST_F(StoredSessionsTest, ADiscardedSessionIsSeenAsItIsInTheStore) {
  auto first = Open();
  ASSERT_TRUE(Step(first.get(), "s", 1, true).ok());
  EXPECT_FALSE(Acquire(first.get(), "s")->Discard());  // its change would be lost
  ASSERT_TRUE(Flush(first.get()));
  auto second = Open();
  ASSERT_TRUE(Step(second.get(), "s", 2).ok());
  ASSERT_TRUE(Flush(second.get()));

  absl::StatusOr<SessionLease> stale = Acquire(first.get(), "s");
  EXPECT_EQ(stale->position(), 1);
  ASSERT_TRUE(stale->Discard());
  EXPECT_FALSE(*stale);
  EXPECT_EQ(Acquire(first.get(), "s")->position(), 2);
}

TEST_F(StoredSessionsTest, TheColdestSessionsLeaveMemoryAndComeBack) {
  constexpr int kSessions = 300;
  auto table = Open(Durability::kInterval, 20);
  for (int i = 0; i < kSessions; ++i) ASSERT_TRUE(Step(table.get(), absl::StrCat("s", i), 1 + i, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  while (table->size() > 20) absl::SleepFor(absl::Milliseconds(1));
  for (int i = 0; i < kSessions; ++i) {
    absl::StatusOr<SessionLease> lease = Acquire(table.get(), absl::StrCat("s", i));
    ASSERT_TRUE(lease.ok()) << lease.status();
    EXPECT_EQ(lease->position(), 1);
    EXPECT_EQ(lease->state()[0], 1 + i);
  }
  EXPECT_GT(metrics_.count(SessionEvent::kEvicted), kSessions - 50);
  EXPECT_EQ(metrics_.count(SessionEvent::kCreated), kSessions);
}

// So that a burst of others finds it, without a save of its own for each.

TEST_F(StoredSessionsTest, SomeRoomIsKeptFree) {
  constexpr int kSessions = 400;
  constexpr size_t kWanted = 150;
  auto table = Open(Durability::kInterval, 160);
  for (int i = 0; i < kSessions; ++i) ASSERT_TRUE(Step(table.get(), absl::StrCat("s", i), 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  const absl::Time give_up = absl::Now() + absl::Seconds(10);
  while (table->size() > kWanted && absl::Now() < give_up) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_LE(table->size(), kWanted);
  EXPECT_GT(table->size(), kWanted - 10);  // and no more than that
}

TEST_F(StoredSessionsTest, WhatCannotBeUsedHarmsNoOtherSession) {
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "good", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  disk_->Put("bad", "not a record");
  table = Open();
  const absl::Status bad = Acquire(table.get(), "bad").status();
  EXPECT_TRUE(absl::IsDataLoss(bad)) << bad;
  EXPECT_THAT(bad.message(), HasSubstr("'bad'"));
  EXPECT_TRUE(Acquire(table.get(), "good").ok());
  EXPECT_EQ(table->size(), 1u);
}

TEST_F(StoredSessionsTest, ASessionWhoseModelIsGoneIsRefusedAndStays) {
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  table = Open();
  find_model_ = absl::FailedPreconditionError("no such version");
  EXPECT_TRUE(absl::IsFailedPrecondition(Acquire(table.get(), "s").status()));
  find_model_ = model_;
  EXPECT_EQ(Acquire(table.get(), "s")->position(), 1);
}

TEST_F(StoredSessionsTest, TheModelThatAdoptedASessionIsTheOneInTheStore) {
  const ServedModelPtr newer = MakeServedModel("m", kStateSize / 2, &metrics_, 2);
  for (const Durability durability : {Durability::kInterval, Durability::kEveryReply}) {
    const std::string id = durability == Durability::kInterval ? "soon" : "at-once";
    auto table = Open(durability);
    ASSERT_TRUE(Step(table.get(), id, 1, true).ok());
    absl::StatusOr<SessionLease> lease = Acquire(table.get(), id);
    lease->Adopt(newer);
    EXPECT_EQ(lease->state()[0], 1);
    ASSERT_TRUE(Step(std::move(lease), 2).ok());
    EXPECT_EQ(table->Get(id, absl::Now())->version, 2);
    ASSERT_TRUE(Flush(table.get()));
    table = Open();
    lease = Acquire(table.get(), id);
    ASSERT_TRUE(lease.ok()) << lease.status();
    EXPECT_EQ(recorded_version_, 2);
    EXPECT_EQ(lease->position(), 2);
    EXPECT_EQ(lease->state()[0], 2);
  }
}

TEST_F(StoredSessionsTest, ASessionThatComesBackOnOtherWeightsIsCountedAsAdopted) {
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  table = Open();
  find_model_ = MakeServedModel("m", kStateSize / 2, &metrics_, 2, 77);
  ASSERT_TRUE(Acquire(table.get(), "s").ok());
  EXPECT_EQ(metrics_.count(SessionEvent::kAdopted), 1);
}

TEST_F(StoredSessionsTest, SessionsCanBeCreatedWhenTheStoreDoesNotKnowThem) {
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  table = Open();
  LeaseFuture known;
  LeaseFuture unknown;
  ASSERT_FALSE(*table->Restore("s", &known, absl::Now()));
  EXPECT_TRUE(known.Get().ok());
  ASSERT_FALSE(*table->Restore("t", &unknown, absl::Now()));
  EXPECT_TRUE(absl::IsNotFound(unknown.Get().status()));
  EXPECT_TRUE(absl::IsAlreadyExists(table->Create("s", model_, std::nullopt, absl::Now()).status()));
  EXPECT_TRUE(table->Create("t", model_, std::nullopt, absl::Now()).ok());
  EXPECT_TRUE(*table->Restore("t", &unknown, absl::Now()));
}

TEST_F(StoredSessionsTest, SyncMakesACreatedAndADeletedSessionDurable) {
  auto table = Open(Durability::kEveryReply);
  ASSERT_TRUE(table->Create("s", model_, std::nullopt, absl::Now()).ok());
  CommitFuture created;
  ASSERT_FALSE(table->Sync("s", &created));
  EXPECT_TRUE(created.Get().ok());
  EXPECT_TRUE(Acquire(Open().get(), "s").ok());

  ASSERT_TRUE(Acquire(table.get(), "s").ok());
  table = Open(Durability::kEveryReply);
  ASSERT_TRUE(Acquire(table.get(), "s").ok());
  ASSERT_TRUE(table->Delete("s", absl::Now()).ok());
  CommitFuture deleted;
  ASSERT_FALSE(table->Sync("s", &deleted));
  EXPECT_TRUE(deleted.Get().ok());
  EXPECT_TRUE(absl::IsNotFound(Acquire(Open().get(), "s").status()));
}

TEST_F(StoredSessionsTest, WhatNobodyCanMakeAgainIsDurableWithoutWaitingForTheInterval) {
  auto table = Open(Durability::kInterval, 1000, absl::Hours(1));
  const std::vector<float> state(kStateSize, 0.5f);
  ASSERT_TRUE(table->Create("s", model_, std::nullopt, absl::Now(), state).ok());
  CommitFuture created;
  EXPECT_TRUE(table->Sync("s", &created));
  EXPECT_FALSE(disk_->Has("s"));
  ASSERT_FALSE(table->Sync("s", &created, /*always=*/true));
  EXPECT_TRUE(created.Get().ok());
  EXPECT_TRUE(disk_->Has("s"));
  SessionTable storeless(options_);
  ASSERT_TRUE(storeless.Create("s", model_, std::nullopt, absl::Now(), state).ok());
  EXPECT_TRUE(storeless.Sync("s", &created, /*always=*/true));
}

TEST_F(StoredSessionsTest, ARequestThatGivesUpWhileItsSessionIsLoadedLeavesNothingBehind) {
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  table = Open();
  for (int i = 0; i < 100; ++i) {
    LeaseFuture waiter;
    auto lease = table->Acquire(absl::StrCat("unknown", i), nullptr, &waiter, absl::Now());
    ASSERT_TRUE(lease.ok());
    if (!table->CancelWait(absl::StrCat("unknown", i), &waiter)) waiter.Get().IgnoreError();
  }
  ASSERT_TRUE(Flush(table.get()));
  EXPECT_EQ(table->size(), 0u);
}

}  // namespace
}  // namespace rondo
