// Ends for idleness, and pages.
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/refusal/refusal.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {
namespace {

using SessionTableExpiryTest = SessionFixture;
using SessionTableListTest = SessionFixture;

TEST_F(SessionTableExpiryTest, ASessionEndsOnceItWasIdleForItsTimeout) {
  Create("s");
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Minutes(10) - absl::Nanoseconds(1)), 0u);
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Minutes(10)), 1u);
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Minutes(10)), 0u);
}

TEST_F(SessionTableExpiryTest, AFullTableSaysWhenAPlaceIsLikely) {
  for (int i = 0; i < 100; ++i) Create(absl::StrCat("s", i));
  table_.ExpireIdle(now_);
  const absl::Status full = table_.Create("more", model_, std::nullopt, now_ + absl::Minutes(4)).status();
  EXPECT_EQ(RefusalOf(full).why, Why::kSessionsFull);
  EXPECT_EQ(RefusalOf(full).retry_after_ms, 60'000);
  EXPECT_THAT(std::string(full.message()), testing::HasSubstr("the next idle one ends in 360 s"));
}

TEST_F(SessionTableExpiryTest, EachSessionHasItsOwnTimeout) {
  ASSERT_TRUE(table_.Create("short", model_, absl::Milliseconds(10), now_).ok());
  ASSERT_TRUE(table_.Create("long", model_, absl::Hours(100), now_).ok());
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Milliseconds(10)), 1u);
  EXPECT_TRUE(table_.Get("long", now_).ok());
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Hours(99)), 0u);
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Hours(100)), 1u);
}

TEST_F(SessionTableExpiryTest, ASessionLivesThroughTenStepsOfItsModelUnlessAskedOtherwise) {
  CountedEvents events;
  const ServedModelPtr daily = MakeServedModel("daily", 4, &events, 1, 0, /*step_seconds=*/86400);
  ASSERT_TRUE(table_.Create("usual", daily, std::nullopt, now_).ok());
  ASSERT_TRUE(table_.Create("asked", daily, absl::Minutes(5), now_).ok());
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Minutes(5)), 1u);
  RecordingWaiter waiter;
  auto lease = table_.Acquire("made-on-use", &daily, &waiter, now_);
  ASSERT_TRUE(lease.ok() && lease->has_value());
  (*lease)->Commit(OneStep(), now_);
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Hours(239)), 0u);
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Hours(240)), 2u);
}

TEST_F(SessionTableExpiryTest, IdleCountsFromTheLastRelease) {
  Create("s");
  SessionLease lease = AcquireNow("s");
  now_ += absl::Minutes(9);
  lease.Commit(OneStep(), now_);
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Minutes(9)), 0u);
  now_ += absl::Minutes(9);
  lease = AcquireNow("s");
  now_ += absl::Minutes(5);
  lease.Release(now_);
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Minutes(9)), 0u);
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Minutes(10)), 1u);
}

TEST_F(SessionTableExpiryTest, AReplayedOrRefusedRequestKeepsTheSessionAliveWithoutMovingIt) {
  Create("s");
  for (int i = 0; i < 5; ++i) {
    now_ += absl::Minutes(9);
    EXPECT_EQ(table_.ExpireIdle(now_), 0u);
    AcquireNow("s").Release(now_);
  }
  EXPECT_EQ(table_.Get("s", now_)->position, 0);
}

TEST_F(SessionTableExpiryTest, ASessionWithALeaseNeverExpires) {
  Create("s");
  SessionLease lease = AcquireNow("s");
  for (int i = 0; i < 5; ++i) {
    now_ += absl::Hours(10);
    EXPECT_EQ(table_.ExpireIdle(now_), 0u);
    EXPECT_EQ(table_.Get("s", now_)->idle, absl::ZeroDuration());
  }
  EXPECT_EQ(table_.ExpireIdle(absl::InfiniteFuture()), 0u);
  lease.Release(now_);
}

TEST_F(SessionTableExpiryTest, ASessionHandedFromLeaseToLeaseNeverExpires) {
  Create("s");
  SessionLease lease = AcquireNow("s");
  RecordingWaiter waiter;
  ASSERT_TRUE(Wait("s", &waiter));
  now_ += absl::Hours(1);
  lease.Release(now_);
  now_ += absl::Hours(1);
  EXPECT_EQ(table_.ExpireIdle(now_), 0u);
  waiter.heard->Release(now_);
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Minutes(10)), 1u);
}

TEST_F(SessionTableExpiryTest, InfinityIsNever) {
  SessionTable::Options options = SmallOptions();
  options.idle_timeout = absl::InfiniteDuration();
  options.max_idle_timeout = absl::InfiniteDuration();
  SessionTable table(options);
  ASSERT_TRUE(table.Create("default", model_, std::nullopt, now_).ok());
  ASSERT_TRUE(table.Create("own", model_, absl::InfiniteDuration(), now_).ok());
  ASSERT_TRUE(table.Create("aeons", model_, absl::Hours(int64_t{24} * 365 * 280), now_).ok());
  EXPECT_EQ(table.ExpireIdle(now_ + absl::Hours(24 * 365 * 100)), 0u);
  EXPECT_EQ(table.Get("own", now_)->idle_timeout, absl::InfiniteDuration());
  EXPECT_EQ(table.ExpireIdle(absl::InfiniteFuture()), 0u);
}

TEST_F(SessionTableExpiryTest, ManyThatEndTogetherAllEndAndGiveTheirSlotsBack) {
  SessionTable::Options options;
  SessionTable table(options);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20'000; ++i) {
      ASSERT_TRUE(table.Create(absl::StrCat("s", i), model_, std::nullopt, now_).ok());
    }
    now_ += absl::Hours(1);
    EXPECT_EQ(table.ExpireIdle(now_), 20'000u);
    EXPECT_EQ(table.size(), 0u);
    EXPECT_LE(table.state_bytes(), size_t{20'000} * 64 + (256 << 10));
  }
}

TEST_F(SessionTableExpiryTest, AnEndedIdCanLiveAgain) {
  Create("s");
  AcquireNow("s").Commit(OneStep(), now_);
  now_ += absl::Hours(1);
  ASSERT_EQ(table_.ExpireIdle(now_), 1u);
  AcquireOrCreate("s").Commit(OneStep(), now_);
  EXPECT_EQ(table_.Get("s", now_)->position, 1);
}

TEST_F(SessionTableListTest, PagesHoldEachSessionOnce) {
  std::set<std::string> ids;
  for (int i = 0; i < 90; ++i) {
    Create(absl::StrCat("s", i));
    ids.insert(absl::StrCat("s", i));
  }
  for (const size_t page_size : {1, 7, 89, 90, 91, 1000}) {
    std::set<std::string> listed;
    std::string token;
    do {
      const auto page = table_.List("", page_size, now_, &token);
      ASSERT_TRUE(page.ok());
      EXPECT_LE(page->size(), page_size);
      for (const SessionInfo& info : *page) EXPECT_TRUE(listed.insert(info.id).second);
    } while (!token.empty());
    EXPECT_EQ(listed, ids);
  }
}

TEST_F(SessionTableListTest, OneThatLivesThroughoutIsListedOnceWhateverComesAndGoes) {
  SessionTable::Options options;
  SessionTable table(options);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(table.Create(absl::StrCat("s", i), model_, std::nullopt, now_).ok());
  std::map<std::string, int> listed;
  std::string token;
  int next = 2000;
  do {
    const auto page = table.List("m", 50, now_, &token);
    ASSERT_TRUE(page.ok());
    for (const SessionInfo& info : *page) ++listed[info.id];
    for (int i = 0; i < 20; ++i, ++next) {
      ASSERT_TRUE(table.Create(absl::StrCat("s", next), model_, std::nullopt, now_).ok());
      table.Delete(absl::StrCat("s", (next * 7) % 1000), now_).IgnoreError();
    }
  } while (!token.empty());
  for (int i = 1000; i < 2000; ++i) EXPECT_EQ(listed[absl::StrCat("s", i)], 1) << i;
}

TEST_F(SessionTableListTest, AModelsSessionsOnly) {
  Create("a");
  ASSERT_TRUE(table_.Create("b", other_model_, std::nullopt, now_).ok());
  std::string token;
  const auto page = table_.List("other", 10, now_, &token);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->size(), 1u);
  EXPECT_EQ(page->front().id, "b");
  EXPECT_TRUE(token.empty());
}

TEST_F(SessionTableListTest, ATokenThatIsNotOursIsRefused) {
  Create("a");
  Create("b");
  std::string ours;
  ASSERT_TRUE(table_.List("", 1, now_, &ours).ok());
  ASSERT_EQ(ours.size(), 32u);
  std::vector<std::string> bad = {"x",        std::string(32, '0'),  std::string(32, 'f'), "0x" + ours.substr(2),
                                  ours + "0", std::string(32, '\0'), " " + ours.substr(1), ours.substr(1)};
  for (size_t i = 0; i < ours.size(); ++i) {
    bad.push_back(ours);
    bad.back()[i] = ours[i] == '1' ? '2' : '1';
  }
  SessionTable other{SmallOptions()};
  for (std::string& token : bad) {
    EXPECT_EQ(table_.List("", 1, now_, &token).status().code(), absl::StatusCode::kInvalidArgument) << token;
  }
  EXPECT_EQ(other.List("", 1, now_, &ours).status().code(), absl::StatusCode::kInvalidArgument);
  std::string none;
  EXPECT_EQ(table_.List("", 0, now_, &none).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rondo
