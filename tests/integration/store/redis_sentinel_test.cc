// A primary that is killed, and the replica that real sentinels put in its place.
#include "server/store/redis_sentinel.h"

#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/redis_store.h"
#include "tests/integration/store/redis_server.h"
#include "tests/integration/store/store_calls.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

RedisAddress AddressOf(const std::string& text) {
  const auto address = ParseRedisAddress(text);
  EXPECT_TRUE(address.ok()) << address.status();
  return address.value_or(RedisAddress());
}

// A redis-server as sentinel of one primary, "main", that fails over as soon as it can.
class Sentinel {
 public:
  explicit Sentinel(int primary_port) {
    const std::string file = folder_.Path("sentinel.conf");
    std::ofstream(file) << "port " << port_ << "\nbind 127.0.0.1\ndir " << folder_.path()
                        << "\nsentinel monitor main 127.0.0.1 " << primary_port << " 1"
                        << "\nsentinel down-after-milliseconds main 300\nsentinel failover-timeout main 2000\n";
    process_ = std::make_unique<ChildProcess>("/usr/bin/redis-server", std::vector<std::string>{file, "--sentinel"});
    process_->WaitForLine("+monitor master");
  }

  int port() const { return port_; }
  void AwaitReplica() { process_->WaitForLine("+slave slave"); }
  void AwaitFailOver() { process_->WaitForLine("+switch-master"); }

 private:
  const TemporaryFolder folder_;
  const int port_ = FreePort();
  std::unique_ptr<ChildProcess> process_;
};

class RedisSentinelTest : public testing::Test {
 protected:
  std::string address() const {
    // The first of the sentinels is not there.
    return absl::StrCat("redis+sentinel://127.0.0.1:1,127.0.0.1:", sentinel_.port(), "/main");
  }
  std::unique_ptr<SessionStore> Open(const std::string& words) const {
    auto store = OpenSessionStore(address() + words);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  // Saves until it is acknowledged, for a minute at most.
  static void SaveAtLast(SessionStore& store, const std::string& id, const std::string& value) {
    const absl::Time give_up = absl::Now() + absl::Minutes(1);
    absl::Status saved = SaveOne(store, id, value);
    while (!saved.ok() && absl::Now() < give_up) {
      EXPECT_EQ(saved.code(), absl::StatusCode::kUnavailable) << saved;
      absl::SleepFor(absl::Milliseconds(10));
      saved = SaveOne(store, id, value);
    }
    EXPECT_EQ(saved, absl::OkStatus());
  }

  RedisServer primary_;
  RedisServer replica_{{"--replicaof", absl::StrCat("127.0.0.1 ", primary_.address().port)}};
  Sentinel sentinel_{primary_.address().port};
};

TEST_F(RedisSentinelTest, WhatWasAcknowledgedOutlivesThePrimary) {
  sentinel_.AwaitReplica();
  const auto store = Open("?replicas=1");
  std::map<std::string, std::string> acknowledged;
  for (int i = 0; i < 500; ++i) {
    const std::string id = absl::StrCat("s", i);
    SaveAtLast(*store, id, absl::StrCat("before ", i));
    acknowledged[id] = absl::StrCat("before ", i);
  }
  primary_.Kill();
  EXPECT_EQ(SaveOne(*store, "s0", "lost").code(), absl::StatusCode::kUnavailable);
  sentinel_.AwaitFailOver();
  // The new primary has no replica yet, so what it takes is not acknowledged.
  EXPECT_EQ(SaveOne(*store, "s1", "too few").code(), absl::StatusCode::kUnavailable);
  primary_.Start();
  primary_.Ask({"REPLICAOF", "127.0.0.1", absl::StrCat(replica_.address().port)});
  for (int i = 0; i < 500; i += 2) {
    const std::string id = absl::StrCat("s", i);
    SaveAtLast(*store, id, absl::StrCat("after ", i));
    acknowledged[id] = absl::StrCat("after ", i);
  }
  EXPECT_EQ(LoadOne(*store, "s1").status, absl::OkStatus());
  acknowledged.erase("s1");  // which of its two values is there nobody was told
  for (const auto& [id, value] : acknowledged) EXPECT_EQ(LoadOne(*store, id).value, value) << id;
  EXPECT_EQ(replica_.Ask({"HGET", "rondo:session:s2", "value"}), "after 2");
}

TEST_F(RedisSentinelTest, WithFewerReplicasThanWantedNothingIsAcknowledged) {
  const auto store = Open("?replicas=2");
  EXPECT_EQ(SaveOne(*store, "s", "1").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(LoadOne(*store, "s").status.code(), absl::StatusCode::kUnavailable);
  const auto carefree = Open("");
  SaveAtLast(*carefree, "t", "1");
  EXPECT_EQ(LoadOne(*carefree, "t").value, "1");
}

TEST_F(RedisSentinelTest, WhoDoesNotKnowThePrimaryIsToldFromWhoIsAway) {
  int asked = 0;
  const auto found = FindPrimary(AddressOf(address() + "/3?replicas=1"), {}, [&asked] { ++asked; });
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(asked, 2) << "the one that is away, and the one that answers";
  EXPECT_EQ(found->Shown(), absl::StrCat("redis://127.0.0.1:", primary_.address().port, "/3"));
  EXPECT_EQ(found->replicas, 1);

  const auto unknown = FindPrimary(AddressOf(address() + "2"), {});
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("knows no primary 'main2'"));
  EXPECT_EQ(FindPrimary(AddressOf("redis+sentinel://127.0.0.1:1/main"), {}).status().code(),
            absl::StatusCode::kUnavailable);
  // A Redis that is no sentinel.
  const auto plain = absl::StrCat("redis+sentinel://127.0.0.1:", primary_.address().port, "/main");
  EXPECT_FALSE(FindPrimary(AddressOf(plain), {}).ok());
  EXPECT_EQ(FindPrimary(primary_.address(), {})->Shown(), primary_.name()) << "without sentinels it is as it was";
}

}  // namespace
}  // namespace rondo
