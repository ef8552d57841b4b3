#include "server/tracing/span_source.h"

#include <set>
#include <string>

#include "gtest/gtest.h"
#include "tests/unit/tracing/span_list.h"

namespace rondo {
namespace {

const std::string kSampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const std::string kNotSampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

class SpanSourceTest : public testing::Test {
 protected:
  std::optional<SpanSource> SourceFor(double ratio, const std::string& parent, const std::string& state = "") {
    return Tracer(ratio, &spans_).SourceFor("s/M", parent, state);
  }
  // How many of `messages` of a call without a parent are sampled.
  int CountSampled(double ratio, int messages) {
    const std::optional<SpanSource> source = SourceFor(ratio, "");
    int sampled = 0;
    for (int i = 0; source && i < messages; ++i) sampled += source->Begin(now_, now_) != nullptr ? 1 : 0;
    return sampled;
  }

  SpanList spans_;
  const absl::Time now_ = absl::UnixEpoch();
};

TEST_F(SpanSourceTest, WithoutAParentTheRatioDecidesForEachMessage) {
  EXPECT_FALSE(SourceFor(0, ""));
  EXPECT_EQ(CountSampled(1, 1000), 1000);
  const int half = CountSampled(0.5, 10'000);
  EXPECT_GT(half, 4500);
  EXPECT_LT(half, 5500);
}

TEST_F(SpanSourceTest, AParentsFlagDecidesWhateverTheRatio) {
  EXPECT_FALSE(SourceFor(1, kNotSampled));
  const std::optional<SpanSource> source = SourceFor(0, kSampled, "a=b");
  ASSERT_TRUE(source);
  for (int i = 0; i < 100; ++i) {
    const std::unique_ptr<MessageTrace> trace = source->Begin(now_, now_);
    ASSERT_NE(trace, nullptr);
    EXPECT_EQ(trace->span.trace_id, ParseTraceParent(kSampled)->trace_id);
    EXPECT_EQ(trace->span.parent, ParseTraceParent(kSampled)->span_id);
    EXPECT_EQ(trace->span.trace_state, "a=b");
  }
}

TEST_F(SpanSourceTest, WhatIsNoParentIsAsNone) {
  EXPECT_FALSE(SourceFor(0, "nonsense"));
  const std::optional<SpanSource> source = SourceFor(1, "nonsense", "a=b");
  ASSERT_TRUE(source);
  const std::unique_ptr<MessageTrace> trace = source->Begin(now_, now_);
  EXPECT_FALSE(trace->span.parent);
  EXPECT_EQ(trace->span.trace_state, "");  // of a parent that there is not
}

TEST_F(SpanSourceTest, EachMessageWithoutAParentHasATraceOfItsOwn) {
  const std::optional<SpanSource> source = SourceFor(1, "");
  std::set<TraceId> traces;
  std::set<SpanId> spans;
  for (int i = 0; i < 1000; ++i) {
    const std::unique_ptr<MessageTrace> trace = source->Begin(now_, now_);
    traces.insert(trace->span.trace_id);
    spans.insert(trace->span.span_id);
  }
  EXPECT_EQ(traces.size(), 1000U);
  EXPECT_EQ(spans.size(), 1000U);
  EXPECT_EQ(traces.count(TraceId()), 0U);
}

TEST_F(SpanSourceTest, ATraceStateThatIsNoneIsLeftOut) {
  EXPECT_EQ(SourceFor(0, kSampled, "\x01")->Begin(now_, now_)->span.trace_state, "");
}

}  // namespace
}  // namespace rondo
