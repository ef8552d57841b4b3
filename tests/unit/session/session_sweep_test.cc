// Ends that nobody asks for one by one: lifetimes, places that are needed, many sessions together.
#include "server/session/session_sweep.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/refusal/refusal.h"
#include "server/session/session_id.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SessionSweepTest : public SessionFixture {
 protected:
  // The message that a look for the session ends with.
  std::string MessageOf(SessionTable* table, absl::string_view id) {
    return std::string(table->Get(id, now_).status().message());
  }
  absl::Status CreateIn(SessionTable* table, absl::string_view id) {
    return table->Create(id, model_, std::nullopt, now_).status();
  }
  // Deletes all that match, page by page.
  size_t DeleteAll(const SessionFilter& filter) {
    std::string token;
    size_t deleted = 0;
    do {
      deleted += table_.DeleteMany(filter, &token).value();
    } while (!token.empty());
    return deleted;
  }
};

TEST_F(SessionSweepTest, ASessionEndsAtTheEndOfItsLifetimeHoweverMuchItIsUsed) {
  SessionOptions options = SmallOptions();
  options.max_lifetime = absl::Hours(1);
  SessionTable table(options);
  ASSERT_TRUE(CreateIn(&table, "s").ok());
  for (int i = 1; i < 12; ++i) {
    now_ += absl::Minutes(5);
    RecordingWaiter waiter;
    auto lease = table.Acquire("s", nullptr, &waiter, now_);
    ASSERT_TRUE(lease.ok() && lease->has_value());
    (*lease)->Commit(OneStep(), now_);
    EXPECT_EQ(table.ExpireIdle(now_), 0u);
  }
  now_ += absl::Minutes(5);
  EXPECT_EQ(table.ExpireIdle(now_), 1u);
  EXPECT_EQ(MessageOf(&table, "s"), "session 's' ended: it has lived for as long as it may");
  EXPECT_EQ(metrics_.count(SessionEvent::kExpired), 1);
}

TEST_F(SessionSweepTest, ALeaseThatRunsAtTheEndOfALifetimeFinishesFirst) {
  SessionOptions options = SmallOptions();
  options.max_lifetime = absl::Hours(1);
  SessionTable table(options);
  ASSERT_TRUE(CreateIn(&table, "s").ok());
  RecordingWaiter unused, waits;
  auto lease = table.Acquire("s", nullptr, &unused, now_);
  ASSERT_TRUE(lease.ok() && lease->has_value());
  ASSERT_TRUE(table.Acquire("s", nullptr, &waits, now_).ok());
  now_ += absl::Hours(1);
  EXPECT_EQ(table.ExpireIdle(now_), 1u);
  EXPECT_THAT(std::string(waits.heard.status().message()), HasSubstr("lived for as long as it may"));
  EXPECT_TRUE((*lease)->Commit(OneStep(), now_)->ok());
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(SessionSweepTest, ATenantsOwnLifetimeHoldsForItsSessionsOnly) {
  SessionOptions options = SmallOptions();
  options.max_lifetime_of = [](absl::string_view tenant) {
    return tenant == "brief" ? absl::Minutes(1) : absl::InfiniteDuration();
  };
  SessionTable table(options);
  ASSERT_TRUE(CreateIn(&table, "brief s").ok());
  ASSERT_TRUE(CreateIn(&table, "s").ok());
  EXPECT_EQ(table.ExpireIdle(now_ + absl::Minutes(1)), 1u);
  EXPECT_TRUE(table.Get("s", now_).ok());
}

TEST_F(SessionSweepTest, AFullTableEndsAnAbandonedSessionForANewOne) {
  SessionOptions options = SmallOptions();
  options.abandoned_after = absl::Minutes(2);
  SessionTable table(options);
  for (int i = 0; i < 100; ++i) {
    if (i == 1) now_ += absl::Minutes(1);
    ASSERT_TRUE(CreateIn(&table, absl::StrCat("s", i)).ok());
  }
  EXPECT_EQ(RefusalOf(CreateIn(&table, "new")).why, Why::kSessionsFull);
  now_ += absl::Minutes(1);  // s0 alone has been idle for two minutes
  EXPECT_TRUE(CreateIn(&table, "new").ok());
  EXPECT_EQ(MessageOf(&table, "s0"), "session 's0' ended: idle for 120 s, and another session needed its place");
  EXPECT_EQ(metrics_.count(SessionEvent::kAbandoned), 1);
  EXPECT_EQ(RefusalOf(CreateIn(&table, "more")).why, Why::kSessionsFull);
  now_ += absl::Minutes(1);
  RecordingWaiter unused;
  EXPECT_TRUE(table.Acquire("made-on-use", &model_, &unused, now_).ok());
}

TEST_F(SessionSweepTest, AfterALookInVainAFullTableDoesNotLookForAnAbandonedSessionForAWhile) {
  SessionOptions options = SmallOptions();
  options.abandoned_after = absl::Minutes(2);
  SessionTable table(options);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(CreateIn(&table, absl::StrCat("s", i)).ok());
  now_ += absl::Minutes(2) - absl::Milliseconds(50);
  EXPECT_EQ(RefusalOf(CreateIn(&table, "new")).why, Why::kSessionsFull);
  now_ += absl::Milliseconds(60);  // all are abandoned now
  EXPECT_EQ(RefusalOf(CreateIn(&table, "new")).why, Why::kSessionsFull);
  RecordingWaiter unused;
  EXPECT_EQ(RefusalOf(table.Acquire("new", &model_, &unused, now_).status()).why, Why::kSessionsFull);
  now_ += absl::Milliseconds(40);
  EXPECT_TRUE(CreateIn(&table, "new").ok());
}

TEST_F(SessionSweepTest, ATenantAtItsQuotaGivesUpItsOwnAbandonedSessionsOnly) {
  SessionOptions options = SmallOptions();
  options.abandoned_after = absl::Minutes(2);
  int of_a = 0;
  options.count = [&of_a](absl::string_view tenant, int change) {
    if (tenant != "a") return absl::OkStatus();
    if (change > 0 && of_a == 1) return Refuse(Why::kTenantQuota, "full");
    of_a += change;
    return absl::OkStatus();
  };
  SessionTable table(options);
  for (const char* const id : {"b 1", "b 2", "a 1", "3"}) ASSERT_TRUE(CreateIn(&table, id).ok());
  EXPECT_EQ(RefusalOf(CreateIn(&table, "a 2")).why, Why::kTenantQuota);
  now_ += absl::Minutes(2);
  EXPECT_TRUE(CreateIn(&table, "a 2").ok());
  EXPECT_EQ(RefusalOf(CreateIn(&table, "a 3")).why, Why::kTenantQuota);
  for (const char* const id : {"b 1", "b 2", "3"}) EXPECT_TRUE(table.Get(id, now_).ok()) << id;
  EXPECT_FALSE(table.Get("a 1", now_).ok());
}

TEST_F(SessionSweepTest, ManyEndTogetherByTenantPrefixAndModel) {
  for (const char* const id : {"acme pump-1", "acme pump-2", "acme fan-1", "other pump-1", "pump-1"}) Create(id);
  ASSERT_TRUE(table_.Create("acme pump-3", other_model_, std::nullopt, now_).ok());
  EXPECT_EQ(DeleteAll({"acme", "pump-", "m"}), 2u);
  EXPECT_EQ(Message("acme pump-1"), "session 'pump-1' ended: deleted by its owner");
  EXPECT_TRUE(table_.Get("acme pump-3", now_).ok());
  EXPECT_EQ(DeleteAll({"acme", "", ""}), 2u);
  for (const char* const id : {"other pump-1", "pump-1"}) EXPECT_TRUE(table_.Get(id, now_).ok()) << id;
  EXPECT_EQ(DeleteAll({"acme", "", ""}), 0u);
}

TEST_F(SessionSweepTest, ADeletionOfManyTakesAnyNumberOfCallsAndNoTokenOfAnother) {
  SessionOptions options = SmallOptions();
  options.max_sessions = 100'000;
  SessionTable table(options);
  for (int i = 0; i < 40'000; ++i) ASSERT_TRUE(CreateIn(&table, absl::StrCat("s", i)).ok());
  std::string token;
  size_t deleted = 0;
  int calls = 0;
  do {
    deleted += table.DeleteMany({}, &token).value();
    ++calls;
  } while (!token.empty());
  EXPECT_EQ(deleted, 40'000u);
  EXPECT_GT(calls, 30) << "each may hold its loop for some milliseconds only";
  EXPECT_EQ(table.size(), 0u);
  token = "no token of this table";
  EXPECT_EQ(table.DeleteMany({}, &token).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SessionSweepTest, ASessionEndsWithItsStreamUnlessAnotherHasMovedIt) {
  Create("s");
  const uint64_t serial = table_.Get("s", now_)->serial;
  table_.EndWithStream("s", 1, serial);
  EXPECT_TRUE(table_.Get("s", now_).ok());
  {
    SessionLease lease = AcquireNow("s");
    table_.EndWithStream("s", 0, serial);  // somebody has it
    lease.Release(now_);
  }
  EXPECT_TRUE(table_.Get("s", now_).ok());
  table_.EndWithStream("s", 0, serial);
  EXPECT_EQ(Message("s"), "session 's' ended: ended with its stream");
}

TEST_F(SessionSweepTest, ANewSessionOfTheNameDoesNotEndWithTheStreamOfTheOld) {
  Create("s");
  const uint64_t serial = table_.Get("s", now_)->serial;
  EXPECT_TRUE(table_.Delete("s", now_).ok());
  Create("s");
  EXPECT_NE(table_.Get("s", now_)->serial, serial);
  table_.EndWithStream("s", 0, serial);
  EXPECT_TRUE(table_.Get("s", now_).ok());
}

TEST_F(SessionSweepTest, WhoWatchesSeesEachEndOnceAndNotTheForgotten) {
  uint64_t seen = table_.ended().count();
  std::vector<std::string> ids;
  const auto visit = [&ids](absl::string_view id, const SessionEnd&) { ids.emplace_back(id); };
  EXPECT_FALSE(table_.ended().VisitSince(&seen, 10, visit));
  for (const char* const id : {"a", "b", "c"}) Create(id);
  DeleteAll({"", "a", ""});
  DeleteAll({"", "b", ""});
  EXPECT_TRUE(table_.ended().VisitSince(&seen, 1, visit));
  EXPECT_FALSE(table_.ended().VisitSince(&seen, 10, visit));
  EXPECT_THAT(ids, ElementsAre("a", "b"));
  for (int i = 0; i < 20; ++i) Create(absl::StrCat("s", i));
  DeleteAll({"", "s", ""});  // ten are remembered
  ids.clear();
  EXPECT_FALSE(table_.ended().VisitSince(&seen, 100, visit));
  EXPECT_EQ(ids.size(), 10u);
}

}  // namespace
}  // namespace rondo
