// ModelStreamInfer against a real server.

#include <cmath>
#include <thread>

#include "tests/integration/open_inference_fixture.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ModelStreamInferTest : public OpenInferenceFixture {
 protected:
  inference::ModelStreamInferResponse reply_;
  grpc::ClientContext context_;
};

TEST_F(ModelStreamInferTest, AnErrorIsAReplyWithItsIdAndTheStreamLivesOn) {
  const auto stream = stub_->ModelStreamInfer(&context_);
  inference::ModelInferRequest bad = Step(9, false, false, one_);
  bad.set_id("bad");
  ASSERT_TRUE(stream->Write(bad));
  ASSERT_TRUE(stream->Write(RequestOf(one_)));
  ASSERT_TRUE(stream->Read(&reply_));
  EXPECT_THAT(reply_.error_message(), HasSubstr("must specify the START flag"));
  EXPECT_EQ(reply_.infer_response().id(), "bad");
  ASSERT_TRUE(stream->Read(&reply_));
  EXPECT_THAT(reply_.error_message(), IsEmpty());
  EXPECT_EQ(Floats(reply_.infer_response().raw_output_contents(0)), Native(one_));
  EXPECT_TRUE(reply_.infer_response().parameters().at("triton_final_response").bool_param());
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ModelStreamInferTest, TritonGrpcErrorEndsTheStreamWithTheErrorItself) {
  context_.AddMetadata("triton_grpc_error", "true");
  const auto stream = stub_->ModelStreamInfer(&context_);
  ASSERT_TRUE(stream->Write(RequestOf(one_)));
  ASSERT_TRUE(stream->Write(Step(9, false, false, one_)));
  ASSERT_TRUE(stream->Read(&reply_));
  EXPECT_THAT(reply_.error_message(), IsEmpty());
  EXPECT_FALSE(stream->Read(&reply_));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("must specify the START flag"));
}

TEST_F(ModelStreamInferTest, PipelinedStepsOfOneSequenceRunInOrder) {
  constexpr size_t kSteps = 100;
  const std::vector<float> values = RandomValues(kSteps * kInputs, 5);
  const auto stream = stub_->ModelStreamInfer(&context_);
  std::thread writer([&] {
    for (size_t t = 0; t < kSteps; ++t) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(t * kInputs);
      EXPECT_TRUE(stream->Write(Step(3, t == 0, t == kSteps - 1, {begin, begin + kInputs})));
    }
    stream->WritesDone();
  });
  std::vector<float> steps;
  while (stream->Read(&reply_)) {
    ASSERT_THAT(reply_.error_message(), IsEmpty());
    const std::vector<float> row = Floats(reply_.infer_response().raw_output_contents(0));
    steps.insert(steps.end(), row.begin(), row.end());
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(steps, Native(values));
}

TEST_F(ModelStreamInferTest, IdsThatNeverEndMeetTheLimitAndTheStreamLivesOn) {
  TestServer small({{"lstm", MakeTestModel(Cell::kLstm, kInputs, 16)}},
                   [](ServerOptions* options) { options->sessions.max_sessions = 1000; });
  const auto stub = inference::GRPCInferenceService::NewStub(small.channel());
  const auto stream = stub->ModelStreamInfer(&context_);
  constexpr int kIds = 100'000;
  std::thread writer([&] {
    for (int id = 1; id <= kIds; ++id) ASSERT_TRUE(stream->Write(Step(id, true, false, one_)));
    ASSERT_TRUE(stream->Write(Step(1, false, false, one_)));
    stream->WritesDone();
  });
  int refused = 0;
  for (int id = 1; id <= kIds; ++id) {
    ASSERT_TRUE(stream->Read(&reply_));
    if (reply_.error_message().empty()) continue;
    ++refused;
    ASSERT_THAT(reply_.error_message(), HasSubstr("1000 sessions"));
  }
  ASSERT_TRUE(stream->Read(&reply_));
  EXPECT_THAT(reply_.error_message(), IsEmpty());
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(refused, kIds - 1000);
}

TEST_F(ModelStreamInferTest, TheStreamLivesOnAfterEveryBadRequest) {
  Output(Step("live", true, false, one_));
  std::vector<std::pair<inference::ModelInferRequest, std::string>> bad;
  const auto add = [&](const std::string& text) {
    bad.emplace_back(Step("live", false, false, one_), text);
    return &bad.back().first;
  };
  add("contents field must not be specified")->mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
  add("11 bytes")->mutable_raw_input_contents(0)->pop_back();
  for (const int64_t size : {int64_t{0}, int64_t{-1}, int64_t{1} << 31, int64_t{1} << 62}) {
    add("has shape")->mutable_inputs(0)->set_shape(0, size);
  }
  add("has datatype 'INT64'")->mutable_inputs(0)->set_datatype("INT64");
  add("is missing")->clear_inputs();
  bad.back().first.clear_raw_input_contents();
  add("the request has 2 inputs and 1 raw_input_contents")->add_inputs()->set_name("INPUT");
  add("unexpected inference output 'STATE'")->add_outputs()->set_name("STATE");
  add("'sequence_id' has the wrong type")->mutable_parameters()->at("sequence_id").set_double_param(1);
  add("'sequence_start' has the wrong type")->mutable_parameters()->at("sequence_start").set_int64_param(1);
  add("'sequence_end' has the wrong type")->mutable_parameters()->at("sequence_end").set_string_param("true");
  add("no model \"nobody\"")->set_model_name("nobody");
  add("the model version is 'x'")->set_model_version("x");
  add("printable ASCII")->mutable_parameters()->at("sequence_id").set_string_param("a b");
  add("is nan; wanted a finite number")->set_raw_input_contents(0, Raw({1, NAN, 1}));
  add("must specify the START flag")->mutable_parameters()->at("sequence_id").set_int64_param(12345);

  const auto stream = stub_->ModelStreamInfer(&context_);
  for (size_t i = 0; i < bad.size(); ++i) {
    bad[i].first.set_id(std::to_string(i));
    ASSERT_TRUE(stream->Write(bad[i].first));
    ASSERT_TRUE(stream->Read(&reply_)) << bad[i].second;
    EXPECT_THAT(reply_.error_message(), HasSubstr(bad[i].second));
    EXPECT_EQ(reply_.infer_response().id(), std::to_string(i));
    EXPECT_THAT(reply_.infer_response().outputs(), IsEmpty());
  }
  ASSERT_TRUE(stream->Write(Step("live", false, false, one_)));
  ASSERT_TRUE(stream->Read(&reply_));
  EXPECT_THAT(reply_.error_message(), IsEmpty());
  EXPECT_EQ(Floats(reply_.infer_response().raw_output_contents(0)), NativeAfter(one_));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

// The second request waits for the first, which takes milliseconds: a microsecond has passed long before its turn.
TEST_F(ModelStreamInferTest, ARequestWhoseTimeoutPassesInTheQueueIsNotRun) {
  const std::vector<float> many = RandomValues(2000 * kInputs, 3);
  const auto stream = stub_->ModelStreamInfer(&context_);
  inference::ModelInferRequest late = Step("s", false, false, one_);
  (*late.mutable_parameters())["timeout"].set_int64_param(1);
  for (const auto& request : {Step("s", true, false, many), late, Step("s", false, false, one_)}) {
    ASSERT_TRUE(stream->Write(request));
  }
  ASSERT_TRUE(stream->Read(&reply_));
  EXPECT_THAT(reply_.error_message(), IsEmpty());
  ASSERT_TRUE(stream->Read(&reply_));
  EXPECT_THAT(reply_.error_message(), HasSubstr("expired"));
  ASSERT_TRUE(stream->Read(&reply_));
  std::vector<float> run = many;
  run.insert(run.end(), one_.begin(), one_.end());
  const std::vector<float> expected = Native(run);
  EXPECT_EQ(Floats(reply_.infer_response().raw_output_contents(0)),
            std::vector<float>(expected.end() - kInputs, expected.end()));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace rondo
