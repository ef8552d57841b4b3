// A session table whose store fails, hangs or refuses.

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/unit/session/stored_sessions_fixture.h"

namespace rondo {
namespace {

TEST_F(StoredSessionsTest, AStoreThatFailsLeavesTheSessionAsItWas) {
  auto table = Open(Durability::kEveryReply);
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  disk_->FailWith(absl::UnavailableError("gone"));
  EXPECT_TRUE(absl::IsUnavailable(Step(table.get(), "s", 2)));
  EXPECT_TRUE(absl::IsUnavailable(Step(table.get(), "new", 2, true)));
  EXPECT_EQ(Acquire(table.get(), "s")->position(), 1);
  EXPECT_EQ(Acquire(table.get(), "s")->state()[0], 1);
  disk_->FailWith(absl::OkStatus());
  EXPECT_TRUE(Step(table.get(), "s", 2).ok());
  EXPECT_EQ(Acquire(table.get(), "s")->state()[0], 2);
}

TEST_F(StoredSessionsTest, WithAnIntervalResidentSessionsGoOnWhileTheStoreIsAway) {
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  disk_->FailWith(absl::UnavailableError("gone"));
  ASSERT_TRUE(Step(table.get(), "s", 2).ok());
  EXPECT_TRUE(absl::IsUnavailable(Acquire(table.get(), "unknown").status()));
  EXPECT_TRUE(absl::IsUnavailable(Acquire(table.get(), "unknown", true).status()));
  EXPECT_FALSE(table->Flush(absl::Now() + absl::Milliseconds(100)));
  disk_->FailWith(absl::OkStatus());
  EXPECT_TRUE(Flush(table.get()));
  EXPECT_EQ(Acquire(Open().get(), "s")->position(), 2);
}

TEST_F(StoredSessionsTest, AStoreThatIsBackGetsAllThatWaitsAtOnce) {
  auto table = Open(Durability::kInterval, 1000, absl::Hours(1));
  StepMany(table.get(), 500, 1, true);
  disk_->FailWith(absl::UnavailableError("gone"));
  EXPECT_FALSE(Flush(table.get(), absl::Milliseconds(1)));
  disk_->FailWith(absl::OkStatus());
  disk_->AwaitSaves(500);  // not in half an hour
}

TEST_F(StoredSessionsTest, SessionsThatTheStoreCannotKeepDelayNoOther) {
  auto table = Open(Durability::kInterval, 1000, absl::Hours(1));
  StepMany(table.get(), 500, 1, true);
  ASSERT_TRUE(Flush(table.get()));
  for (int i = 1; i < 500; ++i) disk_->FailWith(absl::StrCat("many", i), absl::DataLossError("no session"));
  for (const float value : {2.0f, 3.0f}) {
    StepMany(table.get(), 500, value);
    const uint64_t refused = disk_->refused_saves();
    EXPECT_FALSE(Flush(table.get(), absl::Milliseconds(200)));
    EXPECT_GE(disk_->refused_saves() - refused, 499u);  // not some at a time, as of a store that is away
  }
}

TEST_F(StoredSessionsTest, RequestsForSessionsThatCannotComeAskForNoSavesInVain) {
  auto table = Open(Durability::kInterval, 50, absl::Hours(1));
  StepMany(table.get(), 50, 1, true);
  disk_->FailWith(absl::UnavailableError("gone"));
  EXPECT_FALSE(Flush(table.get(), absl::Milliseconds(1)));
  const uint64_t refused = disk_->refused_saves();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(absl::IsUnavailable(Acquire(table.get(), "unknown").status()));
  EXPECT_LT(disk_->refused_saves() - refused, 1000u);  // a tick in half a second or so, not one a request
}

TEST_F(StoredSessionsTest, AnEndThatCouldNotBeSavedHoldsAndIsSavedLater) {
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  disk_->FailWith(absl::UnavailableError("gone"));
  ASSERT_TRUE(table->Delete("s", absl::Now()).ok());
  EXPECT_FALSE(table->Flush(absl::Now() + absl::Milliseconds(60)));
  disk_->FailWith(absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(Acquire(table.get(), "s").status()));
  ASSERT_TRUE(Flush(table.get()));
  EXPECT_TRUE(absl::IsNotFound(Acquire(Open().get(), "s").status()));
}

TEST_F(StoredSessionsTest, EndsWaitForAStoreThatIsAwayAndReachItAtOnceWhenItIsBack) {
  auto table = Open(Durability::kInterval, 1000, absl::Hours(1));
  StepMany(table.get(), 500, 1, true);
  ASSERT_TRUE(Flush(table.get()));
  disk_->FailWith(absl::UnavailableError("gone"));
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(table->Delete(absl::StrCat("many", i), absl::Now()).ok());
  disk_->AwaitRefusals(500);
  EXPECT_FALSE(Flush(table.get(), absl::Milliseconds(100)));
  EXPECT_LT(disk_->refused_saves(), 900u);  // some at a time
  disk_->FailWith(absl::OkStatus());
  disk_->AwaitSaves(1000);  // not in half an hour
}

TEST_F(StoredSessionsTest, AnEndIsSavedAlsoWhenALoadOfItsSessionComesBetween) {
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  disk_->FailWith(absl::UnavailableError("gone"));
  ASSERT_TRUE(table->Delete("s", absl::Now()).ok());
  EXPECT_FALSE(table->Flush(absl::Now() + absl::Milliseconds(60)));
  disk_->PauseLoads();
  LeaseFuture loaded;
  ASSERT_FALSE(table->Acquire("s", nullptr, &loaded, absl::Now())->has_value());
  disk_->AwaitLoad();
  disk_->FailWith(absl::OkStatus());
  EXPECT_FALSE(table->Flush(absl::Now()));  // asks for the end to be saved, as owner of what the load takes over
  disk_->Resume();
  EXPECT_TRUE(absl::IsNotFound(loaded.Get().status()));
  ASSERT_TRUE(Flush(table.get()));
  EXPECT_TRUE(absl::IsNotFound(Acquire(Open().get(), "s").status()));
}

TEST_F(StoredSessionsTest, AnEndThatTheStoreRefusedIsNone) {
  auto table = Open(Durability::kEveryReply);
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  disk_->FailWith(absl::ResourceExhaustedError("full"));
  EXPECT_TRUE(absl::IsResourceExhausted(Step(table.get(), "s", 2, false, true)));
  disk_->FailWith(absl::OkStatus());
  ASSERT_TRUE(Flush(table.get()));
  EXPECT_EQ(table->Get("s", absl::Now())->position, 1);
  table = Open(Durability::kEveryReply);
  EXPECT_EQ(Acquire(table.get(), "s")->position(), 1);
  EXPECT_TRUE(Step(table.get(), "s", 2, false, true).ok());
}

// An old copy of a session ends while the store is away, and another table goes on with the session: a request that
// comes to the first one before the end is tried again finds the session as the other left it.
TEST_F(StoredSessionsTest, TheEndOfAnOldCopyEndsNothing) {
  auto table = Open(Durability::kInterval, 100, absl::Hours(1));
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  disk_->FailWith(absl::UnavailableError("gone"));
  ASSERT_TRUE(table->Delete("s", absl::Now()).ok());
  disk_->AwaitRefusals(1);
  disk_->FailWith(absl::OkStatus());
  auto other = Open(Durability::kEveryReply);
  ASSERT_TRUE(Step(other.get(), "s", 2).ok());

  EXPECT_EQ(Acquire(table.get(), "s")->position(), 2);
  EXPECT_TRUE(Step(table.get(), "s", 3).ok());
  ASSERT_TRUE(Flush(table.get()));
  EXPECT_EQ(Acquire(other.get(), "s").status().code(), absl::StatusCode::kOk);
  EXPECT_TRUE(absl::IsAborted(Step(other.get(), "s", 4)));  // its copy is the old one now
  EXPECT_EQ(Acquire(other.get(), "s")->position(), 3);
}

TEST_F(StoredSessionsTest, ACommitThatTheStoreRefusesAdoptsNothing) {
  auto table = Open(Durability::kEveryReply);
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  absl::StatusOr<SessionLease> lease = Acquire(table.get(), "s");
  lease->Adopt(MakeServedModel("m", kStateSize / 2, &metrics_, 2));
  disk_->FailWith(absl::UnavailableError("gone"));
  EXPECT_TRUE(absl::IsUnavailable(Step(std::move(lease), 2)));
  disk_->FailWith(absl::OkStatus());
  EXPECT_EQ(table->Get("s", absl::Now())->version, 1);
  EXPECT_EQ(metrics_.count(SessionEvent::kAdopted), 0);
}

}  // namespace
}  // namespace rondo
