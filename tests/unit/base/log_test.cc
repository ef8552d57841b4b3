#include "base/log.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/log_limiter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(LogTest, LineHasTimeLevelEventAndFields) {
  testing::internal::CaptureStderr();
  LogEvent(LogLevel::kWarning, "model_failed", {{"model", "weather"}, {"cause", "no such file"}});
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              MatchesRegex("time=20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z level=warning "
                           "event=model_failed model=weather cause=\"no such file\"\n"));
}

TEST(LogTest, TextFromOutsideCannotMakeASecondLineOrAFalseField) {
  EXPECT_EQ(FormatLogEvent("e", {{"id", "a\nlevel=error event=forged"}}),
            R"(event=e id="a\nlevel=error event=forged")");
  EXPECT_EQ(FormatLogEvent("e", {{"id", "a b=c"}}), R"(event=e id="a b=c")");
  EXPECT_EQ(FormatLogEvent("e", {{"id", "a\" b=\"c"}}), R"(event=e id="a\" b=\"c")");
  EXPECT_EQ(FormatLogEvent("e", {{"id", "a\\"}}), R"(event=e id="a\\")");
  EXPECT_EQ(FormatLogEvent("e", {{"id", "a=b"}}), R"(event=e id="a=b")");
  EXPECT_EQ(FormatLogEvent("e", {{"id", ""}}), R"(event=e id="")");
  EXPECT_EQ(FormatLogEvent("e", {{"id", "{} {0} %n %s"}}), R"(event=e id="{} {0} %n %s")");
}

TEST(LogTest, TerminalControlAndBytesThatAreNotUtf8AreEscaped) {
  EXPECT_EQ(FormatLogEvent("e", {{"id", "\x1b[31m"}}), R"(event=e id="\u001b[31m")");
  EXPECT_EQ(FormatLogEvent("e", {{"id", std::string("a\0b\x7f", 4)}}), R"(event=e id="a\u0000b\u007f")");
  EXPECT_EQ(FormatLogEvent("e", {{"id", "a\xff\xc3"}}), R"(event=e id="a\ufffd\ufffd")");
  EXPECT_EQ(FormatLogEvent("e", {{"id", "\xc2\x9b\xe2\x80\xae"}}), R"(event=e id="\u009b\u202e")");
}

TEST(LogTest, EveryByteLeavesAsOnePrintableAsciiLine) {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  for (const char c : FormatLogEvent("e", {{"v", all}})) EXPECT_TRUE(c >= ' ' && c < 0x7f) << static_cast<int>(c);
}

TEST(LogTest, LongValueIsCut) {
  EXPECT_EQ(FormatLogEvent("e", {{"v", std::string(1'000'000, 'x')}}),
            absl::StrCat("event=e v=", std::string(1000, 'x'), "..."));
}

TEST(LogLimiterTest, WritesTheFirstOfAKeyInEachSecondAndCountsTheRest) {
  LogLimiter limiter;
  const absl::Time start = absl::UnixEpoch();
  int64_t skipped = -1;
  EXPECT_TRUE(limiter.Allow("full", start, &skipped));
  EXPECT_EQ(skipped, 0);
  EXPECT_FALSE(limiter.Allow("full", start + absl::Milliseconds(1), &skipped));
  EXPECT_FALSE(limiter.Allow("full", start + absl::Milliseconds(999), &skipped));
  EXPECT_TRUE(limiter.Allow("other", start + absl::Milliseconds(999), &skipped));
  EXPECT_TRUE(limiter.Allow("full", start + absl::Seconds(1), &skipped));
  EXPECT_EQ(skipped, 2);
  EXPECT_TRUE(limiter.Allow("full", start + absl::Seconds(3), &skipped));
  EXPECT_EQ(skipped, 0);
}

TEST(LogLimiterTest, KeysBeyondTheLimitShareOneEntry) {
  LogLimiter limiter;
  int64_t skipped = 0;
  for (size_t i = 0; i < LogLimiter::kMaxKeys; ++i) {
    EXPECT_TRUE(limiter.Allow(absl::StrCat(i), absl::UnixEpoch(), &skipped));
  }
  EXPECT_TRUE(limiter.Allow("one more", absl::UnixEpoch(), &skipped));
  EXPECT_FALSE(limiter.Allow("and another", absl::UnixEpoch(), &skipped));
}

TEST(LogLimiterTest, TheSharedOneWritesOnceInASecond) {
  int64_t skipped = -1;
  EXPECT_TRUE(ShouldLogRefusal("log_test", &skipped));
  EXPECT_EQ(skipped, 0);
}

}  // namespace
}  // namespace rondo
