#include "server/store/redis_address.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RedisAddress Parsed(const std::string& text) {
  const auto address = ParseRedisAddress(text);
  EXPECT_TRUE(address.ok()) << text << ": " << address.status();
  return address.value_or(RedisAddress());
}

TEST(RedisAddressTest, EachPartIsRead) {
  const RedisAddress full = Parsed("redis://rondo:p%40ss:w@rd/%25@redis.example:7000/12");
  EXPECT_EQ(full.user, "rondo");
  EXPECT_EQ(full.password, "p@ss:w@rd/%");
  EXPECT_EQ(full.host, "redis.example");
  EXPECT_EQ(full.port, 7000);
  EXPECT_EQ(full.database, 12);
  EXPECT_EQ(full.Shown(), "redis://redis.example:7000/12");
}

TEST(RedisAddressTest, WhatIsLeftOutIsRedissDefault) {
  const RedisAddress bare = Parsed("redis://localhost");
  EXPECT_EQ(bare.Shown(), "redis://localhost:6379/0");
  EXPECT_EQ(bare.user, "");
  EXPECT_EQ(bare.password, "");
  EXPECT_EQ(Parsed("redis://:secret@localhost/").password, "secret");
  EXPECT_EQ(Parsed("redis://[::1]:7000/3").Shown(), "redis://[::1]:7000/3");
}

TEST(RedisAddressTest, TlsAndFilesAreSaidBehindTheAddress) {
  const RedisAddress secured = Parsed("rediss://rondo@redis.example:7000/1?ca=/etc/ca%20x.pem&password_file=/run/p");
  EXPECT_TRUE(secured.tls);
  EXPECT_EQ(secured.user, "rondo");
  EXPECT_EQ(secured.host, "redis.example");
  EXPECT_EQ(secured.database, 1);
  EXPECT_EQ(secured.ca_file, "/etc/ca x.pem");
  EXPECT_EQ(secured.password_file, "/run/p");
  EXPECT_EQ(secured.Shown(), "rediss://redis.example:7000/1");
  EXPECT_FALSE(Parsed("redis://h?password_file=p").tls);
}

TEST(RedisAddressTest, SentinelsAreAListBeforeThePrimarysName) {
  const RedisAddress address = Parsed(
      "redis+sentinel://rondo:p@ss@10.0.0.1,sentinel.example:7000,[::1]/main/3?replicas=2&sentinel_password_file=f");
  EXPECT_EQ(address.Shown(), "redis+sentinel://10.0.0.1:26379,sentinel.example:7000,[::1]:26379/main/3");
  EXPECT_EQ(address.primary_name, "main");
  EXPECT_EQ(address.user, "rondo");
  EXPECT_EQ(address.password, "p@ss");
  EXPECT_EQ(address.replicas, 2);
  EXPECT_EQ(address.sentinel_password_file, "f");
  EXPECT_EQ(Parsed("rediss+sentinel://a/my-primary_1.x?ca=c").Shown(), "rediss+sentinel://a:26379/my-primary_1.x/0");
  EXPECT_EQ(Parsed("redis://h?replicas=1").replicas, 1);
  EXPECT_EQ(Parsed("redis://h").replicas, 0);
}

TEST(RedisAddressTest, APasswordFromElsewhereIsTakenIfTheTextHasNone) {
  EXPECT_EQ(ParseRedisAddress("redis://rondo@h", "apart")->password, "apart");
  EXPECT_EQ(ParseRedisAddress("redis://rondo@h", "apart")->user, "rondo");
  EXPECT_EQ(ParseRedisAddress("redis://:own@h", "apart")->password, "own");
  EXPECT_EQ(ParseRedisAddress("redis://h?password_file=f", "apart")->password, "");
}

TEST(RedisAddressTest, WhatIsMalformedIsRefusedWithoutRepeatingThePassword) {
  for (const char* text : {"",
                           "redis:",
                           "redis://",
                           "redis:///1",
                           "rediss://",
                           "redis://h?ca=f",
                           "rediss://h?",
                           "rediss://h?ca=",
                           "rediss://h?ca=a&ca=b",
                           "rediss://h?mode=x",
                           "redis://:secret@h?password_file=f",
                           "redis://:80",
                           "redis://h:",
                           "redis://h:0",
                           "redis://h:65536",
                           "redis://h:-1",
                           "redis://h:+1",
                           "redis://h: 1",
                           "redis://h:1/x",
                           "redis://h/1/2",
                           "redis://h/-1",
                           "redis://h/99999999999",
                           "redis://secret@h",
                           "redis://:@h",
                           "redis://:secret%4@h",
                           "redis://:secret%zz@h",
                           "redis://:secret@h h",
                           "redis://:secret@[::1",
                           "redis://:secret@[::1]x",
                           "redis://:secret@h:x",
                           "redis://h?replicas=",
                           "redis://h?replicas=-1",
                           "redis://h?replicas=101",
                           "redis://h?sentinel_password_file=f",
                           "redis://a,b",
                           "redis+sentinel://h",
                           "redis+sentinel://h/",
                           "redis+sentinel://h//1",
                           "redis+sentinel:///main",
                           "redis+sentinel://a,,b/main",
                           "redis+sentinel://a:0,b/main",
                           "redis+sentinel://a/ma in",
                           "redis+sentinel://a/main/x",
                           "redis+sentinel://a/main/1/2",
                           "sentinel+redis://a/main"}) {
    const auto address = ParseRedisAddress(text);
    EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(address.status().message()), HasSubstr("redis://[[USER]:PASSWORD@]HOST"));
    EXPECT_THAT(std::string(address.status().message()), Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace rondo
