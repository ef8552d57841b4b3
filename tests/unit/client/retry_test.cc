#include "client/retry.h"

#include "gtest/gtest.h"

namespace rondo {
namespace {

FailedTry Unavailable(int number) { return {number, absl::StatusCode::kUnavailable, Repeat::kSafe, std::nullopt}; }

TEST(RetryDelayTest, DoublesUpToTheLongestBackoff) {
  ClientOptions options;
  options.max_attempts = 16;
  options.initial_backoff = absl::Milliseconds(100);
  options.max_backoff = absl::Milliseconds(300);
  EXPECT_EQ(RetryDelay(options, Unavailable(1), 0), absl::Milliseconds(100));
  EXPECT_EQ(RetryDelay(options, Unavailable(2), 0), absl::Milliseconds(200));
  EXPECT_EQ(RetryDelay(options, Unavailable(3), 0), absl::Milliseconds(300));
  EXPECT_EQ(RetryDelay(options, Unavailable(15), 0), absl::Milliseconds(300));
}

TEST(RetryDelayTest, JitterTakesUpToHalfOff) {
  EXPECT_EQ(RetryDelay(ClientOptions(), Unavailable(1), 0.5), absl::Milliseconds(75));
  EXPECT_GT(*RetryDelay(ClientOptions(), Unavailable(1), 0.999), absl::Milliseconds(50));
}

TEST(RetryDelayTest, TheLastTryIsTheLast) {
  ClientOptions options;
  options.max_attempts = 3;
  EXPECT_TRUE(RetryDelay(options, Unavailable(2), 0).has_value());
  EXPECT_FALSE(RetryDelay(options, Unavailable(3), 0).has_value());
}

TEST(RetryDelayTest, WhatIsWorthWaitingForHasNoLastTry) {
  FailedTry failed = Unavailable(1'000'000);
  failed.repeat = Repeat::kUntilDeadline;
  for (const absl::StatusCode code :
       {absl::StatusCode::kUnavailable, absl::StatusCode::kAborted, absl::StatusCode::kCancelled}) {
    failed.code = code;
    EXPECT_EQ(RetryDelay(ClientOptions(), failed, 0), ClientOptions().max_backoff);
  }
  failed.code = absl::StatusCode::kResourceExhausted;
  failed.pushback = "7";
  EXPECT_FALSE(RetryDelay(ClientOptions(), failed, 0).has_value());
}

TEST(RetryDelayTest, OneAttemptIsOne) {
  ClientOptions options;
  options.max_attempts = 1;
  FailedTry failed = Unavailable(1);
  failed.repeat = Repeat::kUntilDeadline;
  EXPECT_FALSE(RetryDelay(options, failed, 0).has_value());
}

TEST(RetryDelayTest, ASessionThatMovedIsAskedForAgain) {
  FailedTry failed = Unavailable(1);
  failed.code = absl::StatusCode::kAborted;
  EXPECT_TRUE(RetryDelay(ClientOptions(), failed, 0).has_value());
}

TEST(RetryDelayTest, ACallWithASecondEffectIsNotRepeatedUnlessTheServerAsks) {
  FailedTry failed = Unavailable(1);
  failed.repeat = Repeat::kUnsafe;
  EXPECT_FALSE(RetryDelay(ClientOptions(), failed, 0).has_value());
  failed.pushback = "7";
  EXPECT_EQ(RetryDelay(ClientOptions(), failed, 0.9), absl::Milliseconds(7));
}

TEST(RetryDelayTest, ALimitIsNotAFullQueue) {
  FailedTry failed = Unavailable(1);
  failed.code = absl::StatusCode::kResourceExhausted;
  EXPECT_FALSE(RetryDelay(ClientOptions(), failed, 0).has_value());
  failed.pushback = "40";
  EXPECT_EQ(RetryDelay(ClientOptions(), failed, 0), absl::Milliseconds(40));
}

TEST(RetryDelayTest, ANegativeOrBrokenPushbackMeansNever) {
  FailedTry failed = Unavailable(1);
  for (const char* pushback : {"-1", "", "soon", "99999999999999999999"}) {
    failed.pushback = pushback;
    EXPECT_FALSE(RetryDelay(ClientOptions(), failed, 0).has_value()) << pushback;
  }
}

TEST(RetryDelayTest, OtherErrorsAreFinal) {
  FailedTry failed = Unavailable(1);
  for (const absl::StatusCode code : {absl::StatusCode::kInvalidArgument, absl::StatusCode::kDeadlineExceeded,
                                      absl::StatusCode::kFailedPrecondition, absl::StatusCode::kCancelled}) {
    failed.code = code;
    EXPECT_FALSE(RetryDelay(ClientOptions(), failed, 0).has_value());
  }
}

}  // namespace
}  // namespace rondo
