// How sessions end that are in a store: by their owner, by idleness, by their lifetime.

#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "base/steady_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/session/stored_sessions_fixture.h"

namespace rondo {
namespace {

using testing::HasSubstr;

TEST_F(StoredSessionsTest, ALifetimeGoesOnInTheStoreAndIsNotLongerForThat) {
  options_.idle_timeout = absl::InfiniteDuration();
  options_.max_lifetime = absl::Hours(1);
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  options_.max_lifetime = absl::Hours(5);
  table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 2).ok());
  EXPECT_EQ(table->ExpireIdle(absl::Now() + absl::Minutes(59)), 0u);
  EXPECT_EQ(table->ExpireIdle(absl::Now() + absl::Minutes(61)), 1u);
  EXPECT_EQ(table->Get("s", absl::Now()).status().message(), "session 's' ended: it has lived for as long as it may");
}

TEST_F(StoredSessionsTest, ALifetimeThatIsShorterThanTheStoredOneIsStored) {
  options_.idle_timeout = absl::InfiniteDuration();
  auto table = Open();
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  options_.max_lifetime = absl::Hours(1);
  table = Open();
  ASSERT_TRUE(Acquire(table.get(), "s").ok());  // loaded, and not moved
  ASSERT_TRUE(Flush(table.get()));
  options_.max_lifetime = absl::InfiniteDuration();
  table = Open();
  ASSERT_TRUE(Acquire(table.get(), "s").ok());
  EXPECT_EQ(table->ExpireIdle(absl::Now() + absl::Minutes(59)), 0u);
  EXPECT_EQ(table->ExpireIdle(absl::Now() + absl::Minutes(61)), 1u);
}

TEST_F(StoredSessionsTest, ASessionWhoseLifetimeEndsInTheStoreIsNotLoaded) {
  options_.max_lifetime = absl::Milliseconds(200);
  auto table = Open(Durability::kEveryReply);
  ASSERT_TRUE(Step(table.get(), "s", 1, true).ok());
  const absl::Time made = absl::Now();
  table = Open();
  while (absl::Now() < made + absl::Milliseconds(200)) {
  }
  EXPECT_EQ(Acquire(table.get(), "s").status().message(), "session 's' ended: it has lived for as long as it may");
}

TEST_F(StoredSessionsTest, EndsReachTheStoreWithTheirReason) {
  auto table = Open();
  for (const char* id : {"deleted", "ended", "kept"}) ASSERT_TRUE(Step(table.get(), id, 1, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  ASSERT_TRUE(table->Delete("deleted", absl::Now()).ok());
  ASSERT_TRUE(Step(table.get(), "ended", 2, false, true).ok());
  ASSERT_TRUE(Flush(table.get()));
  table = Open();
  EXPECT_THAT(Acquire(table.get(), "deleted").status().message(), HasSubstr("deleted by its owner"));
  EXPECT_THAT(Acquire(table.get(), "ended").status().message(), HasSubstr("ended by its owner"));
  EXPECT_TRUE(Acquire(table.get(), "kept").ok());
  EXPECT_THAT(Acquire(table.get(), "other").status().message(), HasSubstr("no session"));

  ASSERT_TRUE(Step(table.get(), "deleted", 5, true).ok());  // the id is free again
  EXPECT_EQ(Acquire(table.get(), "deleted")->position(), 1);
}

TEST_F(StoredSessionsTest, ASessionIdleForItsTimeoutIsNotRestored) {
  auto table = Open();
  ASSERT_TRUE(table->Create("s", model_, absl::Milliseconds(1), SteadyNow() - absl::Seconds(5)).ok());
  ASSERT_TRUE(Flush(table.get()));
  EXPECT_THAT(Acquire(Open().get(), "s").status().message(), HasSubstr("idle for 5 s"));
}

TEST_F(StoredSessionsTest, AWallClockThatIsSetEndsNoSession) {
  const auto open = [this] { return Open(Durability::kInterval, 1000); };  // none leaves memory for another
  for (const int hours : {1, -1}) {
    disk_ = std::make_shared<MemoryDisk>();
    wall_ahead_hours_ = 0;
    auto table = open();
    StepMany(table.get(), 100, 1, true);
    ASSERT_TRUE(Flush(table.get()));
    wall_ahead_hours_ = hours;
    EXPECT_EQ(table->ExpireIdle(SteadyNow()), 0u);
    table = open();
    StepMany(table.get(), 50, 2);  // the records of these are of the clock as it is now, the others' of before
    ASSERT_TRUE(Flush(table.get()));
    table = open();
    StepMany(table.get(), 100, 3);
    EXPECT_EQ(table->ExpireIdle(SteadyNow() + absl::Minutes(9)), 0u);
    EXPECT_EQ(table->ExpireIdle(SteadyNow() + absl::Minutes(11)), 100u) << "time that has passed still counts";
  }
}

// Waits for Restore, as whoever creates does.
bool IsFree(SessionTable* table, absl::string_view id) {
  LeaseFuture restored;
  const absl::StatusOr<bool> here = table->Restore(id, &restored, absl::Now());
  return here.ok() && !*here && absl::IsNotFound(restored.Get().status());
}

TEST_F(StoredSessionsTest, TheIdOfASessionThatEndedIsFreeInTheStoreToo) {
  auto table = Open();
  for (const float value : {1.0f, 2.0f}) {
    ASSERT_TRUE(IsFree(table.get(), "s"));
    ASSERT_TRUE(table->Create("s", model_, std::nullopt, absl::Now()).ok());
    ASSERT_TRUE(Flush(table.get()));
    ASSERT_TRUE(Step(table.get(), "s", value).ok());
    ASSERT_TRUE(Flush(table.get()));
    EXPECT_EQ(Acquire(table.get(), "s")->state()[0], value);
    ASSERT_TRUE(Step(table.get(), "s", value, false, true).ok());
    ASSERT_TRUE(Flush(table.get()));
  }
  auto other = Open();  // takes what is left of it over
  ASSERT_TRUE(IsFree(other.get(), "s"));
  ASSERT_TRUE(other->Create("s", model_, std::nullopt, absl::Now()).ok());
  ASSERT_TRUE(Step(other.get(), "s", 3).ok());
  ASSERT_TRUE(Flush(other.get()));
  EXPECT_EQ(Acquire(table.get(), "s")->position(), 1);
}

TEST_F(StoredSessionsTest, WhoOnlyLooksProlongsASessionsLifeInTheStoreToo) {
  const absl::Time start = absl::Now();
  auto table = Open();
  ASSERT_TRUE(IsFree(table.get(), "s"));
  ASSERT_TRUE(table->Create("s", model_, absl::Minutes(10), start).ok());
  ASSERT_TRUE(Step(table.get(), "s", 1).ok());
  ASSERT_TRUE(Flush(table.get()));
  const uint64_t saves = disk_->saves();
  const auto look = [&](absl::Duration later) {
    LeaseFuture unused;
    (*table->Acquire("s", nullptr, &unused, start + later))->Release(start + later);
    return Flush(table.get());
  };
  ASSERT_TRUE(look(absl::Minutes(1)));
  EXPECT_EQ(disk_->saves(), saves) << "not each time";
  ASSERT_TRUE(look(absl::Minutes(5)));
  EXPECT_EQ(disk_->saves(), saves + 1);
  ASSERT_TRUE(look(absl::Minutes(6)));
  EXPECT_EQ(disk_->saves(), saves + 1);
}

}  // namespace
}  // namespace rondo
