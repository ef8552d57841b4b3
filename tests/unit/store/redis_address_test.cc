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
                           "redis://:secret@h:x"}) {
    const auto address = ParseRedisAddress(text);
    EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(address.status().message()), HasSubstr("redis://[[USER]:PASSWORD@]HOST"));
    EXPECT_THAT(std::string(address.status().message()), Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace rondo
