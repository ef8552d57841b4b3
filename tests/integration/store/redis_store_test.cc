#include "server/store/redis_store.h"

#include <signal.h>

#include <array>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/store/redis_server.h"
#include "tests/integration/store/store_calls.h"

namespace rondo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The notices that stores have heard, one after another.
class HeardNotices {
 public:
  void operator()(const StoreNotice& notice) {
    const MutexLock lock(&mutex_);
    heard_.push_back(absl::StrCat(notice.kind == StoreNotice::Kind::kWanted ? "wanted " : "freed ", notice.id));
    has_heard_.Signal();
  }
  std::string Next() {
    const MutexLock lock(&mutex_);
    while (heard_.empty()) has_heard_.Wait(&mutex_);
    std::string next = std::move(heard_.front());
    heard_.pop_front();
    return next;
  }

 private:
  Mutex mutex_;
  CondVar has_heard_;
  std::deque<std::string> heard_ ABSL_GUARDED_BY(mutex_);
};

class RedisStoreTest : public testing::Test {
 protected:
  std::unique_ptr<RedisStore> Open(const RedisAddress& address) {
    RedisStore::Options options;
    options.limits.silence = absl::Milliseconds(300);
    options.now = [this] { return now_; };
    auto store = RedisStore::Open(address, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  static void ExpectRefused(const RedisAddress& address, absl::StatusCode code, const std::string& why) {
    RedisStore::Options options;
    options.start_patience = absl::ZeroDuration();
    const auto store = RedisStore::Open(address, options);
    EXPECT_EQ(store.status().code(), code) << store.status();
    EXPECT_THAT(std::string(store.status().message()), AllOf(HasSubstr(address.Shown()), HasSubstr(why)));
  }
  void PassBackoff() { now_ += RedisStore::kLongestRetry; }

  absl::Time now_ = absl::Now();
};

TEST_F(RedisStoreTest, TheOneThatLoadedLastSavesAndTheOthersSavesNeverLand) {
  RedisServer redis;
  const auto a = Open(redis.address());
  const auto b = Open(redis.address());
  ASSERT_EQ(SaveOne(*a, "s", "1"), absl::OkStatus());
  const SessionStore::LoadOp taken = LoadOne(*b, "s");
  EXPECT_EQ(taken.value, "1");
  EXPECT_EQ(taken.epoch, 2u);
  EXPECT_EQ(SaveOne(*a, "s", "stale").code(), absl::StatusCode::kAborted);
  EXPECT_EQ(SaveOne(*b, "s", "2", taken.epoch), absl::OkStatus());
  EXPECT_EQ(SaveOne(*a, "s", "stale").code(), absl::StatusCode::kAborted);
  EXPECT_EQ(SaveOne(*a, "s", "stale", taken.epoch).code(), absl::StatusCode::kAborted);

  const SessionStore::LoadOp back = LoadOne(*a, "s");
  EXPECT_EQ(back.value, "2");
  EXPECT_EQ(back.epoch, 3u);
  EXPECT_EQ(SaveOne(*b, "s", "stale", taken.epoch).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(SaveOne(*a, "s", "3", back.epoch), absl::OkStatus());
  EXPECT_EQ(SaveOne(*a, "s", "stale", taken.epoch).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(LoadOne(*b, "s").value, "3");
}

TEST_F(RedisStoreTest, AnIdThatWasNeverSavedBelongsToTheFirstThatSavesIt) {
  RedisServer redis;
  const auto a = Open(redis.address());
  const auto b = Open(redis.address());
  EXPECT_EQ(LoadOne(*a, "new").epoch, 1u);
  EXPECT_EQ(LoadOne(*b, "new").epoch, 1u);
  EXPECT_EQ(SaveOne(*b, "new", "b"), absl::OkStatus());
  EXPECT_EQ(SaveOne(*a, "new", "a").code(), absl::StatusCode::kAborted);
  EXPECT_EQ(SaveOne(*b, "new", "b again"), absl::OkStatus());
  EXPECT_EQ(LoadOne(*a, "new").value, "b again");
}

TEST_F(RedisStoreTest, WhatWasMadeHereIsSavedOverWhatThisStoreOwnsOnly) {
  RedisServer redis;
  const auto a = Open(redis.address());
  const auto b = Open(redis.address());
  EXPECT_EQ(SaveOne(*a, "s", "1", SessionStore::kOwnEpoch), absl::OkStatus());
  const SessionStore::LoadOp again = LoadOne(*a, "s");
  EXPECT_EQ(again.epoch, 2u);
  EXPECT_FALSE(again.taken_over);
  EXPECT_EQ(SaveOne(*a, "s", "2", SessionStore::kOwnEpoch), absl::OkStatus());
  EXPECT_EQ(SaveOne(*b, "s", "b", SessionStore::kOwnEpoch).code(), absl::StatusCode::kAborted);
  const SessionStore::LoadOp taken = LoadOne(*b, "s");
  EXPECT_EQ(taken.epoch, 3u) << "saving does not change it";
  EXPECT_TRUE(taken.taken_over);
  EXPECT_EQ(taken.value, "2");
  EXPECT_EQ(SaveOne(*a, "s", "stale", SessionStore::kOwnEpoch).code(), absl::StatusCode::kAborted);
}

TEST_F(RedisStoreTest, ACommandThatALaterOneOvertookDoesNothing) {
  RedisServer redis;
  const auto store = Open(redis.address());
  ASSERT_EQ(SaveOne(*store, "s", "1"), absl::OkStatus());
  ASSERT_EQ(SaveOne(*store, "s", "2"), absl::OkStatus());
  redis.Ask({"HINCRBY", "rondo:session:s", "number", "1000"});  // as if that one had come later, and yet before these
  EXPECT_EQ(SaveOne(*store, "s", "late").code(), absl::StatusCode::kAborted);
  EXPECT_EQ(LoadOne(*store, "s").status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(redis.Ask({"HGET", "rondo:session:s", "value"}), "2");
  EXPECT_EQ(redis.Ask({"HGET", "rondo:session:s", "epoch"}), "1");
  const auto other = Open(redis.address());
  EXPECT_EQ(LoadOne(*other, "s").value, "2") << "the numbers of another store say nothing";
}

TEST_F(RedisStoreTest, WhatExpiresInRedisIsAbsentAndMayBeSavedAnew) {
  RedisServer redis;
  const auto a = Open(redis.address());
  const auto b = Open(redis.address());
  ASSERT_EQ(SaveOne(*a, "s", "1", 1, absl::Now() + absl::Hours(1)), absl::OkStatus());
  int64_t left_ms = 0;
  ASSERT_TRUE(absl::SimpleAtoi(redis.Ask({"PTTL", "rondo:session:s"}), &left_ms));
  EXPECT_GT(left_ms, 3'500'000);
  EXPECT_LE(left_ms, 3'600'000);
  ASSERT_EQ(SaveOne(*a, "s", "2"), absl::OkStatus());
  EXPECT_EQ(redis.Ask({"PTTL", "rondo:session:s"}), "-1");
  ASSERT_EQ(SaveOne(*a, "s", "3", 1, absl::Now() - absl::Seconds(1)), absl::OkStatus());
  EXPECT_EQ(redis.Ask({"EXISTS", "rondo:session:s"}), "0");
  EXPECT_EQ(LoadOne(*b, "s").value, "");
  EXPECT_EQ(SaveOne(*b, "s", "4"), absl::OkStatus());
}

TEST_F(RedisStoreTest, ARestartOfRedisCostsTheCallsMeanwhileAndNothingElse) {
  RedisServer redis;
  const auto store = Open(redis.address());
  ASSERT_EQ(SaveOne(*store, "s", "1"), absl::OkStatus());
  redis.Kill();
  EXPECT_EQ(SaveOne(*store, "s", "2").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(LoadOne(*store, "s").status.code(), absl::StatusCode::kUnavailable);
  redis.Start();
  EXPECT_EQ(SaveOne(*store, "s", "3").code(), absl::StatusCode::kUnavailable) << "it must wait before it tries again";
  PassBackoff();
  EXPECT_EQ(SaveOne(*store, "s", "4"), absl::OkStatus());
  EXPECT_EQ(LoadOne(*store, "s").value, "4");
}

TEST_F(RedisStoreTest, ARedisThatHangsIsGivenUpSoonAndComesBack) {
  RedisServer redis;
  const auto store = Open(redis.address());
  ASSERT_EQ(SaveOne(*store, "s", "1"), absl::OkStatus());
  redis.Signal(SIGSTOP);
  const absl::Time start = absl::Now();
  EXPECT_EQ(SaveOne(*store, "s", "2").code(), absl::StatusCode::kUnavailable);
  const absl::Time gave_up = absl::Now();
  EXPECT_GE(gave_up - start, absl::Milliseconds(299));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(SaveOne(*store, "s", "3").code(), absl::StatusCode::kUnavailable);
  EXPECT_LT(absl::Now() - gave_up, absl::Milliseconds(299)) << "until the next try it must fail at once";
  redis.Signal(SIGCONT);
  PassBackoff();
  EXPECT_EQ(SaveOne(*store, "s", "4"), absl::OkStatus());
}

TEST_F(RedisStoreTest, ScriptsThatRedisForgotAreLoadedAgain) {
  RedisServer redis;
  const auto store = Open(redis.address());
  ASSERT_EQ(SaveOne(*store, "s", "1"), absl::OkStatus());
  redis.Ask({"SCRIPT", "FLUSH"});
  EXPECT_EQ(SaveOne(*store, "s", "2"), absl::OkStatus());
  redis.Ask({"SCRIPT", "FLUSH"});
  EXPECT_EQ(LoadOne(*store, "s").value, "2");
}

TEST_F(RedisStoreTest, AWrongPasswordIsRefusedAndARightOneIsNot) {
  // What README.md of the stores says a user needs.
  RedisServer redis({"--requirepass",    "right:@/",        "--user",      "rondo",      "on",    ">hers",
                     "~rondo:session:*", "~rondo:server:*", "+ping",       "+select",    "+del",  "+script|load",
                     "+evalsha",         "+hmget",          "+hset",       "+hget",      "+hdel", "+hexists",
                     "+hincrby",         "+exists",         "+persist",    "+pexpireat", "+get",  "+set",
                     "+lpush",           "+pexpire",        "+brpoplpush", "+scan"});
  RedisAddress address = redis.address();
  ExpectRefused(address, absl::StatusCode::kPermissionDenied, "NOAUTH");
  address.password = "wrong";
  ExpectRefused(address, absl::StatusCode::kPermissionDenied, "WRONGPASS");
  address.user = "nobody";
  ExpectRefused(address, absl::StatusCode::kPermissionDenied, "WRONGPASS");
  const std::string place = absl::StrCat("127.0.0.1:", address.port);
  for (const std::string login : {":right%3a%40%2F@", "default:right%3a%40%2F@", "rondo:hers@"}) {
    const auto store = OpenSessionStore(absl::StrCat("redis://", login, place));
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(SaveOne(**store, login, "1", 1, absl::Now() + absl::Hours(1)), absl::OkStatus());
    EXPECT_EQ(LoadOne(**store, login).value, "1");
    EXPECT_EQ(SaveOne(**store, login, "2", 2), absl::OkStatus());
  }
  const std::string hers = absl::StrCat("redis://rondo:hers@", place);
  HeardNotices heard;
  const auto a = *OpenSessionStore(hers);
  const auto b = *OpenSessionStore(hers);
  a->Listen(std::ref(heard));
  b->Listen(std::ref(heard));
  EXPECT_EQ(SaveOne(*a, "s", "1"), absl::OkStatus());
  EXPECT_TRUE(LoadOne(*b, "s").held);
  EXPECT_EQ(heard.Next(), "wanted s");
  EXPECT_EQ(LetGo(*a, "s", ""), absl::OkStatus());
  EXPECT_EQ(heard.Next(), "freed s");
  EXPECT_EQ(LoadOne(*b, "s").value, "1");
  SessionStore::ScanOp scan;
  scan.prefix = "s";
  b->Scan(&scan);
  EXPECT_EQ(scan.status, absl::OkStatus());
  EXPECT_EQ(scan.entries.size(), 1u);
  b->EndWhole();
}

TEST_F(RedisStoreTest, AScanTakesNoPlaceOfAnotherStoreAndPassesOverWhatIsNoSession) {
  RedisServer redis;
  const auto store = Open(redis.address());
  redis.Ask({"SET", "rondo:session:text", "no hash"});
  redis.Ask({"HSET", "rondo:session:claimed", "epoch", "1"});
  ASSERT_EQ(SaveOne(*store, "s", "1"), absl::OkStatus());
  SessionStore::ScanOp scan;
  store->Scan(&scan);
  EXPECT_EQ(scan.status, absl::OkStatus());
  EXPECT_EQ(scan.entries.size(), 1u);
  scan.from = "a";
  store->Scan(&scan);
  EXPECT_EQ(scan.status.code(), absl::StatusCode::kInvalidArgument);
  scan.from = " +0";
  redis.Ask({"SCRIPT", "FLUSH"});
  store->Scan(&scan);
  EXPECT_EQ(scan.status, absl::OkStatus());
  EXPECT_EQ(scan.from, "");
}

TEST_F(RedisStoreTest, AStoreThatLivesIsAskedAndOneThatEndedIsNot) {
  RedisServer redis;
  HeardNotices heard;
  const auto a = Open(redis.address());
  const auto b = Open(redis.address());
  a->Listen(std::ref(heard));
  ASSERT_EQ(SaveOne(*a, "s", "1"), absl::OkStatus());
  const SessionStore::LoadOp asked = LoadOne(*b, "s");
  EXPECT_TRUE(asked.held);
  EXPECT_EQ(asked.status, absl::OkStatus());
  EXPECT_EQ(heard.Next(), "wanted s");
  EXPECT_EQ(SaveOne(*a, "s", "2"), absl::OkStatus()) << "it is still the owner";
  EXPECT_EQ(LetGo(*a, "s", "3"), absl::OkStatus());
  EXPECT_EQ(SaveOne(*a, "s", "4").code(), absl::StatusCode::kAborted) << "what was let go of is nobody's";
  const SessionStore::LoadOp taken = LoadOne(*b, "s");
  EXPECT_FALSE(taken.held);
  EXPECT_EQ(taken.value, "3");
  EXPECT_EQ(taken.doubtful_before, absl::InfinitePast());

  ASSERT_EQ(SaveOne(*a, "t", "1"), absl::OkStatus());
  a->EndWhole();
  const SessionStore::LoadOp whole = LoadOne(*b, "t");
  EXPECT_EQ(whole.value, "1");
  EXPECT_EQ(whole.doubtful_before, absl::InfinitePast());
}

TEST_F(RedisStoreTest, AnOwnerThatIsNotHeardOfIsPassedOverAndItsValuesAreDoubtful) {
  RedisServer redis;
  const auto a = Open(redis.address());
  const auto b = Open(redis.address());
  const auto c = Open(redis.address());
  ASSERT_EQ(SaveOne(*a, "s", "1"), absl::OkStatus());  // it does not listen, so nobody hears of it
  const SessionStore::LoadOp taken = LoadOne(*b, "s");
  EXPECT_EQ(taken.value, "1");
  EXPECT_EQ(taken.doubtful_before, absl::InfiniteFuture());
  EXPECT_EQ(LoadOne(*b, "s").doubtful_before, absl::InfinitePast()) << "it has been said";
  EXPECT_EQ(LetGo(*b, "s", "1", 3, SessionStore::After::kLetGoDoubtful), absl::OkStatus());
  EXPECT_EQ(LoadOne(*c, "s").doubtful_before, absl::InfiniteFuture()) << "it has not been said";
}

TEST_F(RedisStoreTest, APasswordForARedisWithoutOneIsRefused) {
  RedisServer redis;
  RedisAddress address = redis.address();
  address.password = "needless";
  ExpectRefused(address, absl::StatusCode::kPermissionDenied, "AUTH");
}

TEST_F(RedisStoreTest, DatabasesAreApartAndOneThatIsNotThereIsRefused) {
  RedisServer redis;
  RedisAddress address = redis.address();
  ASSERT_EQ(SaveOne(*Open(address), "s", "0"), absl::OkStatus());
  address.database = 3;
  EXPECT_EQ(LoadOne(*Open(address), "s").value, "");
  address.database = 16;
  ExpectRefused(address, absl::StatusCode::kInvalidArgument, "no database 16");
}

TEST_F(RedisStoreTest, AFullRedisSaysSoAndLosesNothing) {
  RedisServer redis;
  const auto store = Open(redis.address());
  ASSERT_EQ(SaveOne(*store, "s", "kept"), absl::OkStatus());
  redis.Ask({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(SaveOne(*store, "s", "2"), absl::ResourceExhaustedError("the session store is out of memory"));
  EXPECT_EQ(SaveOne(*store, "new", "2").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(LoadOne(*store, "s").status.code(), absl::StatusCode::kUnavailable);
  redis.Ask({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(LoadOne(*store, "s").value, "kept");
}

TEST_F(RedisStoreTest, AReadOnlyReplicaIsRefusedAtTheStartAndUnavailableLater) {
  RedisServer primary;
  RedisServer redis;
  const auto store = Open(redis.address());
  ASSERT_EQ(SaveOne(*store, "s", "1"), absl::OkStatus());
  redis.Ask({"REPLICAOF", "127.0.0.1", absl::StrCat(primary.address().port)});
  EXPECT_EQ(SaveOne(*store, "s", "2").code(), absl::StatusCode::kUnavailable);
  PassBackoff();
  EXPECT_EQ(LoadOne(*store, "s").status.code(), absl::StatusCode::kUnavailable);
  ExpectRefused(redis.address(), absl::StatusCode::kFailedPrecondition, "READONLY");
  redis.Ask({"REPLICAOF", "NO", "ONE"});
  PassBackoff();
  EXPECT_EQ(SaveOne(*store, "t", "3"), absl::OkStatus());
}

TEST_F(RedisStoreTest, WhatIsNoSessionUnderAKeyOfOursIsDataLossForThatIdOnly) {
  RedisServer redis;
  const auto store = Open(redis.address());
  redis.Ask({"SET", "rondo:session:text", "hello"});
  redis.Ask({"LPUSH", "rondo:session:list", "1"});
  redis.Ask({"HSET", "rondo:session:hash", "other", "1"});
  redis.Ask({"HSET", "rondo:session:epoch", "epoch", "many", "owner", "me", "value", "v"});
  redis.Ask({"HSET", "rondo:session:empty", "epoch", "1", "owner", "me", "value", ""});
  ASSERT_EQ(SaveOne(*store, "good", "1"), absl::OkStatus());
  std::array<SessionStore::LoadOp, 7> loads;
  const std::array<const char*, 7> ids = {"text", "list", "hash", "epoch", "empty", "good", "absent"};
  for (size_t i = 0; i < ids.size(); ++i) loads[i].id = ids[i];
  store->Load(absl::MakeSpan(loads));
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(loads[i].status.code(), absl::StatusCode::kDataLoss) << ids[i];
  EXPECT_EQ(loads[5].value, "1");
  EXPECT_EQ(loads[6].status, absl::OkStatus());
  for (const char* id : {"text", "list", "hash"}) {
    EXPECT_EQ(SaveOne(*store, id, "mine").code(), absl::StatusCode::kDataLoss) << id;
  }
  EXPECT_EQ(redis.Ask({"GET", "rondo:session:text"}), "hello");
}

TEST_F(RedisStoreTest, NobodyOnThePortIsUnavailable) {
  RedisAddress address;
  address.host = "127.0.0.1";
  address.port = FreePort();
  ExpectRefused(address, absl::StatusCode::kUnavailable, "Connection refused");
  address.host = "no-such-host.invalid";
  ExpectRefused(address, absl::StatusCode::kUnavailable, "cannot be reached");
}

TEST_F(RedisStoreTest, ARedisThatStartsWithItsServerIsWaitedFor) {
  RedisServer redis;
  redis.Kill();
  auto opening = std::async(std::launch::async, [&] { return RedisStore::Open(redis.address(), {}).status(); });
  redis.Start();
  EXPECT_EQ(opening.get(), absl::OkStatus());
}

TEST_F(RedisStoreTest, ARedisThatLosesOrEvictsSessionsIsWarnedOf) {
  const auto logged = [this](const RedisServer& redis) {
    testing::internal::CaptureStderr();
    Open(redis.address());
    return testing::internal::GetCapturedStderr();
  };
  const RedisServer safe;
  EXPECT_THAT(logged(safe), AllOf(HasSubstr("event=session_store_connected"), Not(HasSubstr("level=warning"))));
  const RedisServer forgetful({"--appendonly", "no", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"});
  EXPECT_THAT(logged(forgetful),
              AllOf(HasSubstr("event=session_store_not_on_disk"), HasSubstr("event=session_store_evicts")));
}

}  // namespace
}  // namespace rondo
