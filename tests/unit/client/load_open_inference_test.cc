#include <cstring>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inference/open_inference.pb.h"
#include "tests/unit/client/load_conversation.h"

namespace rondo::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using TritonConversation = Conversation<inference::ModelInferRequest, inference::ModelStreamInferResponse>;

MessageShape TritonShape(int timesteps) { return Shape(Protocol::kOpenInference, 1, timesteps); }

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
