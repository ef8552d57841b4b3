#include "server/tracing/message_trace.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/tracing/span_list.h"

namespace rondo {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

using Attributes = std::map<std::string, std::variant<std::string, int64_t>>;

class MessageTraceTest : public testing::Test {
 protected:
  static absl::Time At(int ms) { return absl::UnixEpoch() + absl::Milliseconds(ms); }

  MessageTraceTest() {
    trace_.sink = &offered_;
    trace_.method = "rondo.v1.Inference/Predict";
    trace_.span.trace_id = {1};
    trace_.span.span_id = {2};
    trace_.span.trace_state = "a=b";
    trace_.came = At(0);
    trace_.arrived = At(1);
    trace_.ended = At(10);
  }
  // The length of each part in milliseconds, by name.
  std::map<std::string, int64_t> Parts() {
    std::map<std::string, int64_t> parts;
    for (const Span& span : offered_.spans) {
      if (span.is_server) continue;
      EXPECT_EQ(span.parent, (SpanId{2}));
      EXPECT_EQ(span.trace_id, (TraceId{1}));
      EXPECT_EQ(span.trace_state, "a=b");
      parts[span.name] = absl::ToInt64Milliseconds(span.end - span.start);
    }
    return parts;
  }
  const Span& Answer() const { return offered_.spans.back(); }

  SpanList offered_;
  MessageTrace trace_;
};

TEST_F(MessageTraceTest, EachPartIsASpanWithinTheAnswers) {
  trace_.session_ready = At(3);
  trace_.first_step = At(4);
  trace_.computed = At(7);
  trace_.stored = At(9);
  OfferSpans(trace_);
  EXPECT_THAT(Parts(), UnorderedElementsAre(Pair("read", 1), Pair("session", 2), Pair("queue", 1), Pair("compute", 3),
                                            Pair("store", 2)));
  EXPECT_EQ(Answer().end - Answer().start, absl::Milliseconds(10));
}

TEST_F(MessageTraceTest, APartThatThereWasNotIsNotTold) {
  trace_.came = trace_.arrived;
  trace_.first_step = At(2);
  trace_.computed = At(9);
  OfferSpans(trace_);
  EXPECT_THAT(Parts(), UnorderedElementsAre(Pair("queue", 1), Pair("compute", 7)));
}

TEST_F(MessageTraceTest, ARefusedMessageIsItsAnswerAlone) {
  trace_.came = trace_.arrived;
  trace_.code = absl::StatusCode::kInvalidArgument;
  OfferSpans(trace_);
  EXPECT_EQ(offered_.spans.size(), 1U);
  EXPECT_TRUE(Answer().failed);
}

TEST_F(MessageTraceTest, OfSeveralSequencesOneMayRunWhileAnotherWaitsForItsSession) {
  trace_.first_step = At(2);
  trace_.session_ready = At(5);
  trace_.computed = At(7);
  OfferSpans(trace_);
  EXPECT_THAT(Parts(), UnorderedElementsAre(Pair("read", 1), Pair("session", 4), Pair("queue", 1), Pair("compute", 5)));
}

TEST_F(MessageTraceTest, TheAnswerSaysWhatWasAsked) {
  trace_.model = "weather";
  trace_.sequences = 2;
  trace_.timesteps = 3;
  OfferSpans(trace_);
  EXPECT_EQ(Answer().name, "rondo.v1.Inference/Predict");
  EXPECT_FALSE(Answer().failed);
  EXPECT_FALSE(Answer().parent);
  const Attributes attributes(Answer().attributes.begin(), Answer().attributes.end());
  const Attributes wanted = {
      {"rpc.system", std::string("grpc")},     {"rpc.service", std::string("rondo.v1.Inference")},
      {"rpc.method", std::string("Predict")},  {"rpc.grpc.status_code", int64_t{0}},
      {"rondo.model", std::string("weather")}, {"rondo.sequences", int64_t{2}},
      {"rondo.timesteps", int64_t{3}}};
  EXPECT_EQ(attributes, wanted);
}

}  // namespace
}  // namespace rondo
