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

TEST(RedisAddressTest, WhatIsMalformedIsRefusedWithoutRepeatingThePassword) {
  for (const char* text : {"",
                           "redis:",
                           "redis://",
                           "redis:///1",
                           "rediss://h",
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
