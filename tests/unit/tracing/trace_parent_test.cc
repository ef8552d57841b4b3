#include "server/tracing/trace_parent.h"

#include <random>
#include <string>

#include "gtest/gtest.h"

namespace rondo {
namespace {

const std::string kGood = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceParentTest, ReadsIdsAndTheFlag) {
  const std::optional<TraceParent> parent = ParseTraceParent(kGood);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id,
            (TraceId{0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36}));
  EXPECT_EQ(parent->span_id, (SpanId{0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7}));
  EXPECT_TRUE(parent->sampled);
}

TEST(TraceParentTest, OnlyTheLowestFlagSaysSampled) {
  const auto sampled = [](const std::string& flags) {
    const std::optional<TraceParent> parent = ParseTraceParent(kGood.substr(0, 53) + flags);
    EXPECT_TRUE(parent) << flags;
    return parent && parent->sampled;
  };
  EXPECT_FALSE(sampled("00"));
  EXPECT_FALSE(sampled("fe"));
  EXPECT_TRUE(sampled("ff"));
  EXPECT_TRUE(sampled("03"));
}

TEST(TraceParentTest, ANewerVersionMayHaveMoreBehindADash) {
  EXPECT_TRUE(ParseTraceParent("01" + kGood.substr(2)));
  EXPECT_TRUE(ParseTraceParent("cc" + kGood.substr(2) + "-what-the-future-has"));
  EXPECT_FALSE(ParseTraceParent("cc" + kGood.substr(2) + "."));
  EXPECT_FALSE(ParseTraceParent("cc" + kGood.substr(2) + "0"));
}

TEST(TraceParentTest, WhatIsMalformedIsNone) {
  for (const std::string& text : {
           std::string(),
           std::string("00"),
           kGood.substr(0, 54),
           kGood + "0",
           kGood + "-00",
           " " + kGood,
           kGood + " ",
           "ff" + kGood.substr(2),
           "0x" + kGood.substr(2),
           "AA" + kGood.substr(2),
           std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01"),
           std::string("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g"),
           std::string("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01"),
           std::string(55, '-'),
           std::string(55, '0'),
           std::string(55, '\0'),
           std::string(100'000, 'a'),
       }) {
    EXPECT_FALSE(ParseTraceParent(text)) << text;
  }
}

TEST(TraceParentTest, AByteThatIsNoDigitAndNoDashIsRefusedWhereverItStands) {
  std::mt19937 random(1);
  for (size_t place = 0; place < kGood.size(); ++place) {
    for (int c = 0; c < 256; ++c) {
      std::string text = kGood;
      text[place] = static_cast<char>(c);
      const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      const bool at_dash = place == 2 || place == 35 || place == 52;
      EXPECT_EQ(ParseTraceParent(text).has_value(), at_dash ? c == '-' : digit) << text;
    }
  }
  for (int i = 0; i < 100'000; ++i) {
    std::string text(random() % 80, '\0');
    for (char& c : text) c = static_cast<char>(random());
    EXPECT_FALSE(ParseTraceParent(text)) << text;
  }
}

TEST(TraceParentTest, ATraceStateIsPrintableAsciiOfALength) {
  EXPECT_TRUE(IsTraceState("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"));
  EXPECT_TRUE(IsTraceState(std::string(512, 'a')));
  EXPECT_FALSE(IsTraceState(""));
  EXPECT_FALSE(IsTraceState(std::string(513, 'a')));
  EXPECT_FALSE(IsTraceState("a=\xc3\xa4"));
  EXPECT_FALSE(IsTraceState("a=\n"));
}

}  // namespace
}  // namespace rondo
