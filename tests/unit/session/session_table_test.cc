#include "server/session/session_table.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/session/ended_sessions.h"
#include "server/session/session_id.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

using SessionTableTest = SessionFixture;

TEST_F(SessionTableTest, CreateMakesAnIdNobodyCanGuess) {
  std::set<std::string> ids;
  for (int i = 0; i < 50; ++i) {
    const auto info = table_.Create("", model_, std::nullopt, now_);
    ASSERT_TRUE(info.ok());
    EXPECT_THAT(info->id, MatchesRegex("[0-9a-f]{32}"));
    EXPECT_TRUE(ids.insert(info->id).second);
  }
  EXPECT_EQ(table_.size(), 50u);
}

TEST_F(SessionTableTest, CreateTakesTheClientsId) {
  const auto info = table_.Create("turbine-7", model_, absl::Seconds(30), now_);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->id, "turbine-7");
  EXPECT_EQ(info->model, "m");
  EXPECT_EQ(info->version, 1);
  EXPECT_EQ(info->position, 0);
  EXPECT_EQ(info->idle_timeout, absl::Seconds(30));
  EXPECT_EQ(table_.Create("turbine-7", model_, std::nullopt, now_).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(SessionTableTest, AnIdIsPrintableAsciiWithoutSpaces) {
  EXPECT_TRUE(ValidateSessionId("!").ok());
  EXPECT_TRUE(ValidateSessionId(std::string(128, '~')).ok());
  for (const std::string& id : {std::string(), std::string(129, 'a'), SessionName("", "a b"), std::string("a\0b", 3),
                                std::string("a\n"), std::string("\x7f"), std::string("\xc3\xa4")}) {
    EXPECT_EQ(ValidateSessionId(id).code(), absl::StatusCode::kInvalidArgument) << id;
    EXPECT_EQ(table_.Get(id, now_).status().code(), absl::StatusCode::kInvalidArgument) << id;
    RecordingWaiter waiter;
    EXPECT_EQ(table_.Acquire(id, &model_, &waiter, now_).status().code(), absl::StatusCode::kInvalidArgument) << id;
  }
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(SessionTableTest, AnIdleTimeoutIsAboveZeroAndAtMostTheLargest) {
  for (const absl::Duration timeout : {absl::ZeroDuration(), -absl::Seconds(1), -absl::InfiniteDuration(),
                                       absl::Hours(24 * 7) + absl::Nanoseconds(1), absl::InfiniteDuration()}) {
    EXPECT_EQ(table_.Create("s", model_, timeout, now_).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_TRUE(table_.Create("s", model_, absl::Hours(24 * 7), now_).ok());
}

TEST_F(SessionTableTest, TheCapHoldsAndAPlaceIsFreeAgainAtOnce) {
  for (int i = 0; i < 100; ++i) Create(absl::StrCat("s", i));
  EXPECT_EQ(table_.Create("", model_, std::nullopt, now_).status().code(), absl::StatusCode::kResourceExhausted);
  RecordingWaiter waiter;
  EXPECT_EQ(table_.Acquire("new", &model_, &waiter, now_).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(table_.size(), 100u);
  ASSERT_TRUE(table_.Delete("s5", now_).ok());
  EXPECT_TRUE(table_.Acquire("new", &model_, &waiter, now_).ok());
}

TEST_F(SessionTableTest, GetSaysWhatASessionIs) {
  Create("s");
  AcquireNow("s").Commit(OneStep(), now_);
  const auto info = table_.Get("s", now_ + absl::Seconds(5));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->position, 1);
  EXPECT_EQ(info->idle, absl::Seconds(5));
  EXPECT_EQ(info->idle_timeout, absl::Minutes(10));
  EXPECT_EQ(table_.Get("s", now_ - absl::Seconds(5))->idle, absl::ZeroDuration());
}

TEST_F(SessionTableTest, AnUnknownSessionIsNotFound) {
  EXPECT_EQ(table_.Get("s", now_).status(), UnknownSessionError("s"));
  EXPECT_EQ(table_.Delete("s", now_), UnknownSessionError("s"));
  RecordingWaiter waiter;
  EXPECT_EQ(table_.Acquire("s", nullptr, &waiter, now_).status(), UnknownSessionError("s"));
}

TEST_F(SessionTableTest, AnEndedSessionSaysWhy) {
  Create("deleted");
  ASSERT_TRUE(table_.Delete("deleted", now_).ok());
  Create("ended");
  CommittedSequence last = OneStep();
  last.end_session = true;
  AcquireNow("ended").Commit(last, now_);
  Create("idle");
  now_ += absl::Seconds(600);
  EXPECT_EQ(table_.ExpireIdle(now_), 1u);
  EXPECT_EQ(Message("deleted"), "session 'deleted' ended: deleted by its owner");
  EXPECT_EQ(Message("ended"), "session 'ended' ended: ended by its owner");
  EXPECT_EQ(Message("idle"), "session 'idle' ended: idle for 600 s");
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(SessionTableTest, DeleteTakesEffectAtOnceAndTheRunningLeaseFinishes) {
  Create("s");
  SessionLease running = AcquireNow("s");
  RecordingWaiter first;
  RecordingWaiter second;
  ASSERT_TRUE(Wait("s", &first));
  ASSERT_TRUE(Wait("s", &second));
  ASSERT_TRUE(table_.Delete("s", now_).ok());
  EXPECT_EQ(first.calls, 1);
  EXPECT_EQ(second.calls, 1);
  EXPECT_THAT(std::string(first.heard.status().message()), HasSubstr("deleted by its owner"));
  EXPECT_EQ(table_.Get("s", now_).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(table_.size(), 0u);

  Create("s");
  EXPECT_EQ(running.position(), 0);
  running.state()[0] = 1;
  CommittedSequence last = OneStep();
  last.end_session = true;
  running.Commit(last, now_);
  SessionLease fresh = AcquireNow("s");
  EXPECT_EQ(fresh.position(), 0);
  EXPECT_EQ(fresh.state()[0], 0);
  EXPECT_EQ(metrics_.sessions().Value(), 1);
  EXPECT_EQ(metrics_.count(SessionEvent::kDeleted), 1);
}

TEST_F(SessionTableTest, EndSessionTellsTheQueue) {
  Create("s");
  SessionLease running = AcquireNow("s");
  RecordingWaiter waiter;
  ASSERT_TRUE(Wait("s", &waiter));
  CommittedSequence last = OneStep();
  last.end_session = true;
  running.Commit(last, now_);
  EXPECT_EQ(waiter.heard.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(waiter.heard.status().message()), HasSubstr("ended by its owner"));
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(SessionTableTest, EventsAndTheGaugeFollowTheSessions) {
  Create("a");
  Create("b");
  AcquireOrCreate("c").Commit(OneStep(), now_);
  { SessionLease never_committed = AcquireOrCreate("d"); }
  EXPECT_EQ(metrics_.count(SessionEvent::kCreated), 3);
  EXPECT_EQ(metrics_.sessions().Value(), 3);
  ASSERT_TRUE(table_.Delete("a", now_).ok());
  EXPECT_EQ(metrics_.count(SessionEvent::kDeleted), 1);
  EXPECT_EQ(table_.ExpireIdle(now_ + absl::Hours(1)), 2u);
  EXPECT_EQ(metrics_.count(SessionEvent::kExpired), 2);
  EXPECT_EQ(metrics_.sessions().Value(), 0);
}

TEST_F(SessionTableTest, ATableThatEndsTakesItsSessionsOffTheGauge) {
  {
    SessionTable table{SmallOptions()};
    ASSERT_TRUE(table.Create("s", model_, std::nullopt, now_).ok());
    EXPECT_EQ(metrics_.sessions().Value(), 1);
  }
  EXPECT_EQ(metrics_.sessions().Value(), 0);
}

TEST_F(SessionTableTest, SessionsOfDifferentModelsHaveTheirOwnStateSizes) {
  Create("small");
  ASSERT_TRUE(table_.Create("big", other_model_, std::nullopt, now_).ok());
  SessionLease small = AcquireNow("small");
  SessionLease big = AcquireNow("big");
  for (int i = 0; i < 64; ++i) big.state()[i] = 1;
  for (int64_t i = 0; i < kStateSize; ++i) EXPECT_EQ(small.state()[i], 0);
  EXPECT_GE(table_.state_bytes(), (kStateSize + 64) * sizeof(float));
}

}  // namespace
}  // namespace rondo
