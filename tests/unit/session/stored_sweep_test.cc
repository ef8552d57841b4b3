#include "server/session/stored_sweep.h"

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "server/refusal/refusal.h"
#include "tests/unit/session/stored_sessions_fixture.h"

namespace rondo {
namespace {

class StoredSweepTest : public StoredSessionsTest {
 protected:
  // Deletes to the end. Returns how many.
  static size_t Delete(SessionTable* table, const std::string& tenant, const std::string& prefix,
                       const std::string& model = "") {
    StoredDeletion deletion{tenant, prefix, model, "", 0, ""};
    do {
      CommitFuture heard;
      table->DeleteStored(&deletion, &heard);
      EXPECT_EQ(heard.Get(), absl::OkStatus());
    } while (!deletion.from.empty());
    return deletion.deleted;
  }
  std::string Fate(SessionTable* table, absl::string_view id) {
    const absl::Status status = Acquire(table, id).status();
    return status.ok() ? "live" : std::string(status.message());
  }
};

TEST_F(StoredSweepTest, SessionsOfAStoppedServerAreDeletedByPrefix) {
  {
    const auto table = Open();
    StepMany(table.get(), 20, 1, true);
    ASSERT_TRUE(Step(table.get(), "other", 1, true).ok());
    ASSERT_TRUE(Step(table.get(), "acme many1", 1, true).ok());
    ASSERT_TRUE(Flush(table.get()));
  }
  auto table = Open();
  EXPECT_EQ(Delete(table.get(), "", "many"), 20u);
  EXPECT_EQ(metrics_.count(SessionEvent::kDeleted), 20);
  EXPECT_EQ(Delete(table.get(), "", "many"), 0u) << "what has ended is not counted again";
  ASSERT_TRUE(Flush(table.get()));
  table = nullptr;
  table = Open();
  EXPECT_EQ(Fate(table.get(), "many7"), "session 'many7' ended: deleted by its owner");
  EXPECT_EQ(Fate(table.get(), "other"), "live");
  EXPECT_EQ(Fate(table.get(), "acme many1"), "live");
}

TEST_F(StoredSweepTest, APrefixWithASpaceReachesNoTenant) {
  const auto table = Open();
  ASSERT_TRUE(Step(table.get(), "acme s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  EXPECT_EQ(Delete(table.get(), "", "acme "), 0u);
  EXPECT_EQ(Delete(table.get(), "acm", ""), 0u);
  EXPECT_EQ(Delete(table.get(), "acme", "t"), 0u);
  EXPECT_EQ(Delete(table.get(), "acme", ""), 1u);
}

TEST_F(StoredSweepTest, ThoseInMemoryEndTooAndThoseThatHaveLeftIt) {
  const auto table = Open(Durability::kInterval, 16);
  StepMany(table.get(), 100, 1, true);
  ASSERT_TRUE(Flush(table.get()));
  EXPECT_EQ(Delete(table.get(), "", ""), 100u);
  EXPECT_EQ(table->size(), 0u);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Fate(table.get(), absl::StrCat("many", i)),
              absl::StrCat("session 'many", i, "' ended: deleted by its owner"));
  }
}

TEST_F(StoredSweepTest, OnlyThoseOfTheModelEndAlsoIfItIsLiveNoMore) {
  {
    const auto table = Open();
    StepMany(table.get(), 3, 1, true);
    ASSERT_TRUE(Flush(table.get()));
  }
  const auto table = Open();
  find_model_ = absl::NotFoundError("gone");
  EXPECT_EQ(Delete(table.get(), "", "", "other"), 0u);
  EXPECT_EQ(Delete(table.get(), "", "", "m"), 3u);
}

TEST_F(StoredSweepTest, ASessionThatRunsWhileItIsDeletedEndsAndItsStepFinishes) {
  const auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  absl::StatusOr<SessionLease> lease = Acquire(table.get(), "s");
  EXPECT_EQ(Delete(table.get(), "", "s"), 1u);
  EXPECT_TRUE(Step(std::move(lease), 2).ok());
  EXPECT_EQ(Fate(table.get(), "s"), "session 's' ended: deleted by its owner");
}

TEST_F(StoredSweepTest, AnotherLiveServerLetsGoOfWhatIsDeleted) {
  disk_->Share();
  const auto first = Open();
  ASSERT_TRUE(Step(first.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(first.get()));
  const auto second = Open();
  EXPECT_EQ(Delete(second.get(), "", "s"), 1u);
  ASSERT_TRUE(Flush(second.get()));
  EXPECT_EQ(Fate(first.get(), "s"), "session 's' ended: deleted by its owner");
}

TEST_F(StoredSweepTest, WhatIsDamagedBehindItsHeadIsPassedOver) {
  const auto table = Open();
  StepMany(table.get(), 3, 1, true);
  ASSERT_TRUE(Flush(table.get()));
  SessionRecord record;
  record.id = "many-damaged";
  record.model = {"m", 1, 1, "gru", 1, 8, 1, 1};
  record.state.assign(8, 0.5f);
  std::string bytes = Encode(record);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  disk_->Put(record.id, bytes);
  EXPECT_EQ(Delete(table.get(), "", "many"), 3u);
  EXPECT_TRUE(disk_->Has(record.id));
}

TEST_F(StoredSweepTest, AStoreThatIsAwayIsSaidAndNothingIsDeleted) {
  const auto table = Open();
  disk_->FailWith(absl::UnavailableError("away"));
  StoredDeletion deletion{"", "s", "", "", 0, ""};
  CommitFuture heard;
  table->DeleteStored(&deletion, &heard);
  EXPECT_EQ(heard.Get().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(deletion.deleted, 0u);
}

TEST_F(StoredSweepTest, APlaceThatTheStoreDoesNotKnowIsTheCallersFaultAndNotTheStores) {
  const auto table = Open();
  disk_->FailWith(absl::InvalidArgumentError("no place"));
  StoredDeletion deletion{"", "s", "", "nowhere", 0, ""};
  CommitFuture heard;
  table->DeleteStored(&deletion, &heard);
  const absl::Status status = heard.Get();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RefusalOf(status).why, Why::kInvalid);
}

TEST_F(StoredSweepTest, OneClientHasHalfOfThePlacesThatOthersLeave) {
  const auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  disk_->Pause();
  const auto flushed = std::async(std::launch::async, [&] { return Flush(table.get()); });
  disk_->AwaitSave();
  StoredDeletion deletions[2][StoredSweep::kMaxCalls];
  CommitFuture heard[2][StoredSweep::kMaxCalls];
  for (size_t i = 0; i < 2; ++i) {
    for (size_t j = 0; j < StoredSweep::kMaxCalls; ++j) {
      deletions[i][j].client = absl::StrCat("client", i);
      table->DeleteStored(&deletions[i][j], &heard[i][j]);
    }
  }
  disk_->Resume();
  const size_t taken[] = {StoredSweep::kMaxCalls / 2, StoredSweep::kMaxCalls / 4};
  for (size_t i = 0; i < 2; ++i) {
    for (size_t j = 0; j < StoredSweep::kMaxCalls; ++j) {
      EXPECT_EQ(heard[i][j].Get().code(), j < taken[i] ? absl::StatusCode::kOk : absl::StatusCode::kResourceExhausted)
          << i << " " << j;
    }
  }
  EXPECT_EQ(Delete(table.get(), "", "s"), 0u) << "all places are free again, and s has ended";
}

}  // namespace
}  // namespace rondo
