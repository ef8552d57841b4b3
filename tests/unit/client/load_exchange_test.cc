#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/load/exchange.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inference/open_inference.pb.h"
#include "rondo/v1/inference.pb.h"

namespace rondo::load {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr uint64_t kRun = 0xfedcba9876543210;

MessageShape Shape(Protocol protocol, int sessions, int timesteps) {
  MessageShape shape;
  shape.protocol = protocol;
  shape.model.set_name("m");
  shape.model.set_version(3);
  shape.model.set_input_size(2);
  shape.model.set_output_size(1);
  shape.sessions_per_message = sessions;
  shape.timesteps = timesteps;
  return shape;
}

// A conversation in which Request and Reply are the protocol's own messages.
template <typename Request, typename Reply>
class Conversation {
 public:
  explicit Conversation(const MessageShape& shape) : exchange_(MakeExchange(shape, kRun, 5, 0)) {}

  Request Next(size_t in_flight = 0) { return Copy(exchange_->Next(in_flight)); }
  // An empty request: there is no last one.
  Request Last() {
    const auto* const last = exchange_->Last();
    return last != nullptr ? Copy(*last) : Request();
  }
  Verdict Answer(const Reply& reply) {
    static_cast<Reply&>(*exchange_->reply()) = reply;
    return exchange_->OnReply();
  }
  Exchange& exchange() { return *exchange_; }

 private:
  static Request Copy(const google::protobuf::MessageLite& request) { return static_cast<const Request&>(request); }

  std::unique_ptr<Exchange> exchange_;
};

using NativeConversation = Conversation<v1::PredictRequest, v1::PredictResponse>;
using TritonConversation = Conversation<inference::ModelInferRequest, inference::ModelStreamInferResponse>;

MessageShape NativeShape(int sessions, int timesteps) { return Shape(Protocol::kNative, sessions, timesteps); }
MessageShape TritonShape(int timesteps) { return Shape(Protocol::kOpenInference, 1, timesteps); }

// What a right server answers.
v1::PredictResponse ReplyTo(const v1::PredictRequest& request, int timesteps) {
  v1::PredictResponse reply;
  for (const v1::Sequence& sequence : request.sequences()) {
    v1::SequenceResult* const result = reply.add_results();
    if (!sequence.session_id().empty()) result->set_next_position(sequence.position() + timesteps);
    for (int i = 0; i < timesteps; ++i) result->add_values(0.5f);
  }
  return reply;
}

inference::ModelStreamInferResponse ReplyTo(const inference::ModelInferRequest& request) {
  inference::ModelStreamInferResponse reply;
  reply.mutable_infer_response()->set_id(request.id());
  reply.mutable_infer_response()->add_outputs()->set_name("OUTPUT");
  reply.mutable_infer_response()->add_raw_output_contents(
      std::string(static_cast<size_t>(request.inputs(0).shape(0)) * sizeof(float), '\0'));
  return reply;
}

bool Starts(const inference::ModelInferRequest& request) {
  return request.parameters().at("sequence_start").bool_param();
}

bool Ends(const inference::ModelInferRequest& request) { return request.parameters().at("sequence_end").bool_param(); }

TEST(NativeExchangeTest, PositionsFollowTheTimestepsAndMessagesInFlight) {
  NativeConversation native(NativeShape(2, 3));
  const v1::PredictRequest first = native.Next();
  EXPECT_EQ(first.sequences(0).session_id(), "load-fedcba9876543210-5-0");
  EXPECT_EQ(first.sequences(1).session_id(), "load-fedcba9876543210-5-1");
  EXPECT_EQ(first.sequences(1).position(), 0);
  EXPECT_EQ(first.sequences(0).values_size(), 6);
  EXPECT_EQ(first.version(), 3);
  const v1::PredictRequest second = native.Next(1);
  EXPECT_EQ(second.sequences(1).position(), 3);
  EXPECT_EQ(native.Answer(ReplyTo(first, 3)).error, "");
  EXPECT_EQ(native.Next(1).sequences(0).position(), 6);
  EXPECT_EQ(native.Answer(ReplyTo(second, 3)).error, "");
}

TEST(NativeExchangeTest, AWrongReplyIsAnError) {
  NativeConversation native(NativeShape(2, 1));
  v1::PredictResponse reply = ReplyTo(native.Next(), 1);
  reply.mutable_results(1)->add_values(1);
  EXPECT_EQ(native.Answer(reply).message, "reply has 2 values; expected 1");
  reply = ReplyTo(native.Next(), 1);
  reply.mutable_results(0)->set_next_position(9);
  EXPECT_EQ(native.Answer(reply).message, "reply has next_position 9; expected 2");
  reply = ReplyTo(native.Next(), 1);
  reply.mutable_results()->RemoveLast();
  const Verdict verdict = native.Answer(reply);
  EXPECT_EQ(verdict.error, "WRONG_REPLY");
  EXPECT_EQ(verdict.message, "reply has 1 results; the message had 2 sequences");
}

TEST(NativeExchangeTest, ARefusedMessageIsSentAgainAtTheSamePosition) {
  NativeConversation native(NativeShape(1, 1));
  native.Next();
  v1::PredictResponse refused;
  refused.mutable_status()->set_code(8);
  refused.mutable_status()->set_message("queue is full");
  const Verdict verdict = native.Answer(refused);
  EXPECT_EQ(verdict.error, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(verdict.message, "queue is full");
  EXPECT_EQ(native.Next().sequences(0).position(), 0);
}

TEST(NativeExchangeTest, TheExpectedPositionOfARefusalIsUsedNext) {
  NativeConversation native(NativeShape(1, 1));
  native.Next();
  v1::PredictResponse reply;
  reply.add_results()->mutable_status()->set_code(9);
  reply.mutable_results(0)->set_next_position(17);
  EXPECT_EQ(native.Answer(reply).error, "FAILED_PRECONDITION");
  EXPECT_EQ(native.Next().sequences(0).position(), 17);
}

TEST(NativeExchangeTest, StatelessSequencesHaveNoSessionAndNoPosition) {
  MessageShape shape = NativeShape(2, 1);
  shape.stateless = true;
  NativeConversation native(shape);
  const v1::PredictRequest request = native.Next();
  EXPECT_EQ(request.sequences(0).session_id(), "");
  EXPECT_FALSE(request.sequences(0).has_position());
  EXPECT_EQ(native.Answer(ReplyTo(request, 1)).error, "");
  EXPECT_THAT(native.exchange().SessionIds(), IsEmpty());
}

TEST(NativeExchangeTest, OnlySessionsThatMayLiveOnTheServerAreNamed) {
  NativeConversation native(NativeShape(2, 1));
  EXPECT_THAT(native.exchange().SessionIds(), IsEmpty());
  native.Next();
  EXPECT_THAT(native.exchange().SessionIds(), ElementsAre("load-fedcba9876543210-5-0", "load-fedcba9876543210-5-1"));
}

TEST(NativeExchangeTest, TokenModelsGetTokenIdsAndCalendarModelsGetTimes) {
  MessageShape shape = NativeShape(1, 50);
  shape.model.set_input_size(1);
  shape.model.set_tokens(7);
  shape.model.set_needs_times(true);
  shape.model.set_step_seconds(60);
  const v1::Sequence sequence = NativeConversation(shape).Next().sequences(0);
  ASSERT_EQ(sequence.values_size(), 50);
  for (const float value : sequence.values()) {
    EXPECT_EQ(value, static_cast<float>(static_cast<int>(value)));
    EXPECT_GE(value, 0);
    EXPECT_LT(value, 7);
  }
  ASSERT_EQ(sequence.times_size(), 50);
  EXPECT_EQ(sequence.times(1) - sequence.times(0), 60);
}

MessageShape PooledShape(int64_t pool, int sessions, int timesteps) {
  MessageShape shape = NativeShape(sessions, timesteps);
  shape.lane_sessions = pool;
  return shape;
}

// Sends and answers messages until every session of the pool exists.
void CreateAll(NativeConversation* pooled, int timesteps) {
  while (pooled->exchange().creating()) {
    EXPECT_EQ(pooled->Answer(ReplyTo(pooled->Next(), timesteps)).error, "");
  }
}

TEST(PooledExchangeTest, EverySessionIsCreatedInTurnBeforeAnyIsDrawn) {
  NativeConversation pooled(PooledShape(5, 2, 1));
  std::map<std::string, int64_t> first_positions;
  while (pooled.exchange().creating()) {
    const v1::PredictRequest request = pooled.Next();
    for (const v1::Sequence& sequence : request.sequences()) {
      first_positions.emplace(sequence.session_id(), sequence.position());
    }
    EXPECT_EQ(pooled.Answer(ReplyTo(request, 1)).error, "");
  }
  EXPECT_THAT(first_positions, SizeIs(5));
  EXPECT_THAT(first_positions, Each(Pair(_, 0)));
  EXPECT_EQ(first_positions.begin()->first, "load-fedcba9876543210-5-0");
  EXPECT_THAT(pooled.exchange().SessionIds(), SizeIs(5));
}

TEST(PooledExchangeTest, EachSessionGoesOnAtItsOwnPosition) {
  NativeConversation pooled(PooledShape(7, 2, 3));
  std::map<std::string, int64_t> positions;
  for (int message = 0; message < 200; ++message) {
    const v1::PredictRequest request = pooled.Next();
    for (const v1::Sequence& sequence : request.sequences()) {
      EXPECT_EQ(sequence.position(), positions[sequence.session_id()]) << sequence.session_id();
      positions[sequence.session_id()] += 3;
    }
    EXPECT_EQ(pooled.Answer(ReplyTo(request, 3)).error, "");
  }
}

TEST(PooledExchangeTest, SessionsAreDrawnUniformly) {
  NativeConversation pooled(PooledShape(10, 1, 1));
  CreateAll(&pooled, 1);
  std::map<std::string, int> drawn;
  for (int message = 0; message < 10'000; ++message) {
    const v1::PredictRequest request = pooled.Next();
    ++drawn[request.sequences(0).session_id()];
    pooled.Answer(ReplyTo(request, 1));
  }
  EXPECT_THAT(drawn, SizeIs(10));
  EXPECT_THAT(drawn, Each(Pair(_, AllOf(Gt(900), Lt(1100)))));
}

TEST(PooledExchangeTest, NoSessionIsInTwoUnansweredSequences) {
  NativeConversation pooled(PooledShape(16, 2, 1));
  CreateAll(&pooled, 1);
  std::deque<v1::PredictRequest> unanswered;
  for (int message = 0; message < 500; ++message) {
    unanswered.push_back(pooled.Next(unanswered.size()));
    std::set<std::string> ids;
    for (const v1::PredictRequest& request : unanswered) {
      for (const v1::Sequence& sequence : request.sequences()) ids.insert(sequence.session_id());
    }
    EXPECT_EQ(ids.size(), 2 * unanswered.size());
    if (unanswered.size() < 4) continue;
    EXPECT_EQ(pooled.Answer(ReplyTo(unanswered.front(), 1)).error, "");
    unanswered.pop_front();
  }
}

TEST(PooledExchangeTest, ARefusalMovesNoSessionAndAFailureFreesThem) {
  NativeConversation pooled(PooledShape(2, 1, 1));
  v1::PredictResponse refused;
  refused.mutable_status()->set_code(8);
  pooled.Next();
  EXPECT_EQ(pooled.Answer(refused).error, "RESOURCE_EXHAUSTED");
  pooled.Next();
  pooled.exchange().OnFailure();
  std::set<std::string> drawn;
  for (int message = 0; message < 100; ++message) {
    const v1::PredictRequest request = pooled.Next();
    EXPECT_EQ(request.sequences(0).position(), 0);
    drawn.insert(request.sequences(0).session_id());
    pooled.Answer(refused);
  }
  EXPECT_THAT(drawn, SizeIs(2));
}

TEST(OpenInferenceExchangeTest, TheFirstMessageStartsTheSequenceAndOnlyTheLastEndsIt) {
  TritonConversation triton(TritonShape(1));
  EXPECT_EQ(triton.Last().inputs_size(), 0);  // nothing has begun
  const inference::ModelInferRequest first = triton.Next();
  EXPECT_TRUE(Starts(first));
  EXPECT_FALSE(Ends(first));
  EXPECT_EQ(triton.Answer(ReplyTo(first)).error, "");
  const inference::ModelInferRequest second = triton.Next();
  EXPECT_FALSE(Starts(second));
  EXPECT_FALSE(Ends(second));
  EXPECT_EQ(triton.Answer(ReplyTo(second)).error, "");
  const inference::ModelInferRequest last = triton.Last();
  EXPECT_FALSE(Starts(last));
  EXPECT_TRUE(Ends(last));
  EXPECT_THAT(triton.exchange().SessionIds(), ElementsAre(std::to_string((kRun >> 2) + 6)));
  EXPECT_EQ(triton.Answer(ReplyTo(last)).error, "");
  EXPECT_THAT(triton.exchange().SessionIds(), IsEmpty());
}

TEST(OpenInferenceExchangeTest, MessagesAreFilledAsTritonsClientFillsThem) {
  const inference::ModelInferRequest request = TritonConversation(TritonShape(3)).Next();
  EXPECT_EQ(request.model_name(), "m");
  EXPECT_EQ(request.model_version(), "3");
  EXPECT_EQ(request.id(), "1");
  EXPECT_EQ(request.parameters().at("sequence_id").int64_param(), static_cast<int64_t>(kRun >> 2) + 6);
  EXPECT_FALSE(request.parameters().at("triton_enable_empty_final_response").bool_param());
  EXPECT_EQ(request.inputs(0).name(), "INPUT");
  EXPECT_EQ(request.inputs(0).datatype(), "FP32");
  EXPECT_THAT(request.inputs(0).shape(), ElementsAre(3, 2));
  EXPECT_FALSE(request.inputs(0).has_contents());
  EXPECT_EQ(request.raw_input_contents(0).size(), 6 * sizeof(float));
  EXPECT_EQ(request.outputs(0).name(), "OUTPUT");
}

TEST(OpenInferenceExchangeTest, ValuesAreThoseOfTheNativeMessage) {
  const inference::ModelInferRequest triton = TritonConversation(TritonShape(3)).Next();
  const v1::PredictRequest native = NativeConversation(NativeShape(1, 3)).Next();
  const auto& values = native.sequences(0).values();
  ASSERT_EQ(triton.raw_input_contents(0).size(), static_cast<size_t>(values.size()) * sizeof(float));
  EXPECT_EQ(std::memcmp(triton.raw_input_contents(0).data(), values.data(), triton.raw_input_contents(0).size()), 0);
}

TEST(OpenInferenceExchangeTest, IdsMayBeStringsAndStatelessMessagesHaveNone) {
  MessageShape shape = TritonShape(1);
  shape.string_ids = true;
  EXPECT_EQ(TritonConversation(shape).Next().parameters().at("sequence_id").string_param(),
            "load-fedcba9876543210-5-0");
  shape.stateless = true;
  TritonConversation stateless(shape);
  const inference::ModelInferRequest request = stateless.Next();
  EXPECT_THAT(request.parameters(), IsEmpty());
  EXPECT_EQ(stateless.Answer(ReplyTo(request)).error, "");
  EXPECT_THAT(stateless.exchange().SessionIds(), IsEmpty());
}

TEST(OpenInferenceExchangeTest, TokensAndTimesAreIntegers) {
  MessageShape shape = TritonShape(4);
  shape.model.set_input_size(1);
  shape.model.set_tokens(7);
  shape.model.set_needs_times(true);
  const inference::ModelInferRequest request = TritonConversation(shape).Next();
  EXPECT_EQ(request.inputs(0).datatype(), "INT64");
  EXPECT_EQ(request.raw_input_contents(0).size(), 4 * sizeof(int64_t));
  EXPECT_EQ(request.inputs(1).name(), "TIMES");
  EXPECT_THAT(request.inputs(1).shape(), ElementsAre(4));
  EXPECT_EQ(request.raw_input_contents(1).size(), 4 * sizeof(int64_t));
}

TEST(OpenInferenceExchangeTest, AForeignServersTensorsAreThoseOfTheFlags) {
  MessageShape shape = TritonShape(1);
  shape.model.set_version(0);
  shape.model.set_input_size(6);
  shape.foreign = {"x", {1, 2, 3}, "y"};
  TritonConversation conversation(shape);
  const inference::ModelInferRequest request = conversation.Next();
  EXPECT_EQ(request.model_version(), "");
  ASSERT_EQ(request.inputs_size(), 1);
  EXPECT_EQ(request.inputs(0).name(), "x");
  EXPECT_EQ(request.inputs(0).datatype(), "FP32");
  EXPECT_THAT(request.inputs(0).shape(), ElementsAre(1, 2, 3));
  EXPECT_EQ(request.raw_input_contents(0).size(), 6 * sizeof(float));
  EXPECT_EQ(request.outputs(0).name(), "y");
}

TEST(OpenInferenceExchangeTest, AFailureStartsTheSequenceAnew) {
  TritonConversation triton(TritonShape(1));
  triton.Answer(ReplyTo(triton.Next()));
  triton.Next();
  inference::ModelStreamInferResponse refused;
  refused.set_error_message("no such sequence");
  const Verdict verdict = triton.Answer(refused);
  EXPECT_EQ(verdict.error, "INFER_ERROR");
  EXPECT_EQ(verdict.message, "no such sequence");
  EXPECT_TRUE(Starts(triton.Next()));
  triton.exchange().OnFailure();
  EXPECT_TRUE(Starts(triton.Next()));
}

TEST(OpenInferenceExchangeTest, AWrongReplyIsAnError) {
  TritonConversation triton(TritonShape(2));
  inference::ModelStreamInferResponse reply = ReplyTo(triton.Next());
  reply.mutable_infer_response()->set_id("9");
  EXPECT_EQ(triton.Answer(reply).message, "reply has id 9; expected 1");
  reply = ReplyTo(triton.Next());
  reply.mutable_infer_response()->mutable_raw_output_contents(0)->pop_back();
  const Verdict verdict = triton.Answer(reply);
  EXPECT_EQ(verdict.error, "WRONG_REPLY");
  EXPECT_THAT(verdict.message, HasSubstr("7 bytes of raw contents; expected 1 and 8"));
}

TEST(OpenInferenceExchangeTest, UnaryRepliesComeWithoutTheStreamsFrame) {
  MessageShape shape = TritonShape(1);
  shape.unary = true;
  Conversation<inference::ModelInferRequest, inference::ModelInferResponse> triton(shape);
  const inference::ModelInferRequest request = triton.Next();
  EXPECT_EQ(triton.Answer(ReplyTo(request).infer_response()).error, "");
}

}  // namespace
}  // namespace rondo::load
