#include "base/log.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/log_limiter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace rondo {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

std::string Logfmt(absl::string_view event, LogFields fields) {
  return FormatLogEvent(LogFormat::kLogfmt, event, fields);
}

// What LogEvent writes with these options; the log is then as it was.
std::string Written(const LogOptions& options, LogLevel level, absl::string_view event, LogFields fields) {
  testing::internal::CaptureStderr();
  OpenLog(options);
  LogEvent(level, event, fields);
  OpenLog(LogOptions());
  return testing::internal::GetCapturedStderr();
}

TEST(LogTest, LineHasTimeLevelEventAndFields) {
  testing::internal::CaptureStderr();
  LogEvent(LogLevel::kWarning, "model_failed", {{"model", "weather"}, {"cause", "no such file"}});
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              MatchesRegex("time=20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z level=warning "
                           "event=model_failed model=weather cause=\"no such file\"\n"));
}

TEST(LogTest, TextFromOutsideCannotMakeASecondLineOrAFalseField) {
  EXPECT_EQ(Logfmt("e", {{"id", "a\nlevel=error event=forged"}}), R"(event=e id="a\nlevel=error event=forged")");
  EXPECT_EQ(Logfmt("e", {{"id", "a b=c"}}), R"(event=e id="a b=c")");
  EXPECT_EQ(Logfmt("e", {{"id", "a\" b=\"c"}}), R"(event=e id="a\" b=\"c")");
  EXPECT_EQ(Logfmt("e", {{"id", "a\\"}}), R"(event=e id="a\\")");
  EXPECT_EQ(Logfmt("e", {{"id", "a=b"}}), R"(event=e id="a=b")");
  EXPECT_EQ(Logfmt("e", {{"id", ""}}), R"(event=e id="")");
  EXPECT_EQ(Logfmt("e", {{"id", "{} {0} %n %s"}}), R"(event=e id="{} {0} %n %s")");
}

TEST(LogTest, TerminalControlAndBytesThatAreNotUtf8AreEscaped) {
  EXPECT_EQ(Logfmt("e", {{"id", "\x1b[31m"}}), R"(event=e id="\u001b[31m")");
  EXPECT_EQ(Logfmt("e", {{"id", std::string("a\0b\x7f", 4)}}), R"(event=e id="a\u0000b\u007f")");
  EXPECT_EQ(Logfmt("e", {{"id", "a\xff\xc3"}}), R"(event=e id="a\ufffd\ufffd")");
  EXPECT_EQ(Logfmt("e", {{"id", "\xc2\x9b\xe2\x80\xae"}}), R"(event=e id="\u009b\u202e")");
}

TEST(LogTest, EveryByteLeavesAsOnePrintableAsciiLine) {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  for (const char c : Logfmt("e", {{"v", all}})) EXPECT_TRUE(c >= ' ' && c < 0x7f) << static_cast<int>(c);
}

TEST(LogTest, JsonIsOneObjectALineWhoseValuesAreStrings) {
  const std::string line = Written({LogFormat::kJson, LogLevel::kInfo}, LogLevel::kInfo, "model_loaded",
                                   {{"model", "weather"}, {"version", "3"}, {"note", ""}});
  EXPECT_THAT(line, EndsWith("Z\",\"level\":\"info\",\"event\":\"model_loaded\",\"model\":\"weather\","
                             "\"version\":\"3\",\"note\":\"\"}\n"));
  EXPECT_EQ(nlohmann::json::parse(line).at("time").get<std::string>().size(), sizeof("2026-01-31T12:00:00.123Z") - 1);
}

TEST(LogTest, TextFromOutsideCannotMakeASecondJsonLineOrFieldAndIsReadBackAsItWas) {
  std::string ascii;
  for (int c = 0; c < 128; ++c) ascii.push_back(static_cast<char>(c));
  for (const std::string& hostile : {ascii, std::string("\",\"event\":\"forged"),
                                     std::string("\\\"}\n{\"event\":\"f\"}"), std::string("%v %l {} \xe2\x80\xae")}) {
    const std::string line = Written({LogFormat::kJson, LogLevel::kInfo}, LogLevel::kInfo, "e", {{"id", hostile}});
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const nlohmann::json object = nlohmann::json::parse(line);
    EXPECT_EQ(object.size(), 4U) << line;
    EXPECT_EQ(object.at("event"), "e");
    EXPECT_EQ(object.at("id"), hostile);
  }
}

TEST(LogTest, BytesThatAreNotUtf8AreReplacedInJson) {
  const std::string text = FormatLogEvent(LogFormat::kJson, "e", {{"id", "a\xff\xc3"}});
  EXPECT_EQ(text, R"("event":"e","id":"a\ufffd\ufffd")");
}

TEST(LogTest, LowerLevelsAreLeftOutAndTheLevelMayChange) {
  EXPECT_THAT(Written({}, LogLevel::kDebug, "e", {}), IsEmpty());
  EXPECT_THAT(Written({LogFormat::kLogfmt, LogLevel::kDebug}, LogLevel::kDebug, "e", {}), HasSubstr(" level=debug "));
  EXPECT_THAT(Written({LogFormat::kLogfmt, LogLevel::kError}, LogLevel::kWarning, "e", {}), IsEmpty());
  EXPECT_THAT(Written({LogFormat::kLogfmt, LogLevel::kError}, LogLevel::kError, "e", {}), HasSubstr(" level=error "));
  SetLogLevel(LogLevel::kWarning);
  EXPECT_FALSE(IsLogged(LogLevel::kInfo));
  EXPECT_TRUE(IsLogged(LogLevel::kWarning));
  EXPECT_EQ(NameOf(LeastLogLevel()), "warning");
  SetLogLevel(LogLevel::kInfo);
}

TEST(LogTest, LongValueIsCut) {
  EXPECT_EQ(Logfmt("e", {{"v", std::string(1'000'000, 'x')}}),
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
