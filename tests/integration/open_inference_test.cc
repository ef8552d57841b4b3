// inference.GRPCInferenceService against a real server, by its raw stubs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "inference/open_inference.grpc.pb.h"
#include "tests/integration/test_server.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Raw(const std::vector<float>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

std::vector<float> Floats(const std::string& raw) {
  std::vector<float> values(raw.size() / sizeof(float));
  std::memcpy(values.data(), raw.data(), values.size() * sizeof(float));
  return values;
}

class OpenInferenceTest : public ::testing::Test {
 protected:
  static constexpr int64_t kInputs = 3;

  static inference::ModelInferRequest RequestOf(const std::vector<float>& values) {
    inference::ModelInferRequest request;
    request.set_model_name("lstm");
    request.set_id("7");
    auto* const input = request.add_inputs();
    input->set_name("INPUT");
    input->set_datatype("FP32");
    input->add_shape(static_cast<int64_t>(values.size()) / kInputs);
    input->add_shape(kInputs);
    request.add_raw_input_contents(Raw(values));
    return request;
  }

  template <typename Id>
  static inference::ModelInferRequest Step(Id id, bool start, bool end, const std::vector<float>& values) {
    inference::ModelInferRequest request = RequestOf(values);
    auto& parameters = *request.mutable_parameters();
    SetId(id, &parameters["sequence_id"]);
    parameters["sequence_start"].set_bool_param(start);
    parameters["sequence_end"].set_bool_param(end);
    return request;
  }

  static void SetId(int id, inference::InferParameter* parameter) { parameter->set_int64_param(id); }
  static void SetId(const char* id, inference::InferParameter* parameter) { parameter->set_string_param(id); }

  grpc::Status Infer(const inference::ModelInferRequest& request) {
    grpc::ClientContext context;
    response_.Clear();
    return stub_->ModelInfer(&context, request, &response_);
  }

  std::vector<float> Output(const inference::ModelInferRequest& request) {
    const grpc::Status status = Infer(request);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response_.raw_output_contents_size() == 1 ? Floats(response_.raw_output_contents(0)) : std::vector<float>();
  }

  // What the native API says of the same values, from a zero state.
  std::vector<float> Native(const std::vector<float>& values) {
    v1::PredictRequest request;
    request.set_model("lstm");
    AddSequence(&request, "", values);
    v1::PredictResponse response;
    EXPECT_TRUE(server_.Predict(request, &response).ok());
    return response.results_size() == 1 ? ValuesOf(response.results(0)) : std::vector<float>();
  }

  void ExpectRefused(const inference::ModelInferRequest& request, const std::string& text) {
    const grpc::Status status = Infer(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << text;
    EXPECT_THAT(status.error_message(), HasSubstr(text));
  }

  TestServer server_{{{"lstm", MakeTestModel(Cell::kLstm, kInputs, 16)}}};
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_ =
      inference::GRPCInferenceService::NewStub(server_.channel());
  inference::ModelInferResponse response_;
  const std::vector<float> values_ = RandomValues(3 * kInputs, 1);
  const std::vector<float> one_{0.5f, -1, 2};
};

TEST_F(OpenInferenceTest, AnswersTheNativeResultToTheBitWithItsIdShapeAndVersion) {
  EXPECT_EQ(Output(RequestOf(values_)), Native(values_));
  EXPECT_EQ(response_.id(), "7");
  EXPECT_EQ(response_.model_name(), "lstm");
  EXPECT_EQ(response_.model_version(), "1");
  ASSERT_THAT(response_.outputs(), SizeIs(1));
  EXPECT_EQ(response_.outputs(0).name(), "OUTPUT");
  EXPECT_EQ(response_.outputs(0).datatype(), "FP32");
  EXPECT_THAT(response_.outputs(0).shape(), ElementsAre(3, kInputs));
}

TEST_F(OpenInferenceTest, TypedContentsABatchDimensionAndNamedInputsAreTheSameRequest) {
  const std::vector<float> expected = Native(values_);
  inference::ModelInferRequest typed = RequestOf(values_);
  typed.clear_raw_input_contents();
  typed.mutable_inputs(0)->mutable_contents()->mutable_fp32_contents()->Add(values_.begin(), values_.end());
  EXPECT_EQ(Output(typed), expected);

  inference::ModelInferRequest batch = RequestOf(values_);
  batch.mutable_inputs(0)->clear_shape();
  for (const int64_t size : {int64_t{1}, int64_t{3}, kInputs}) batch.mutable_inputs(0)->add_shape(size);
  EXPECT_EQ(Output(batch), expected);
  EXPECT_THAT(response_.outputs(0).shape(), ElementsAre(1, 3, kInputs));

  inference::ModelInferRequest named;
  named.set_model_name("lstm");
  for (const size_t column : {2, 0, 1}) {
    auto* const input = named.add_inputs();
    input->set_name(std::string(1, static_cast<char>('a' + column)));
    input->set_datatype("FP32");
    input->add_shape(3);
    named.add_raw_input_contents(Raw({values_[column], values_[3 + column], values_[6 + column]}));
  }
  EXPECT_EQ(Output(named), expected);
}

TEST_F(OpenInferenceTest, ASequenceKeepsItsStateFromStartToEnd) {
  const std::vector<float> whole = Native(values_);
  std::vector<float> steps;
  for (int t = 0; t < 3; ++t) {
    const std::vector<float> out =
        Output(Step(5, t == 0, t == 2, {values_.begin() + t * kInputs, values_.begin() + (t + 1) * kInputs}));
    steps.insert(steps.end(), out.begin(), out.end());
  }
  EXPECT_EQ(steps, whole);
  ExpectRefused(Step(5, false, false, one_),
                "inference request for sequence 5 to model 'lstm' must specify the START flag on the first request of "
                "the sequence");
  EXPECT_EQ(server_.Metric("rondo_sessions{model=\"lstm\"}"), 0);
}

TEST_F(OpenInferenceTest, AnIntegerIdIsTheSessionOfItsDigits) {
  Output(Step(5, true, false, one_));
  const std::vector<float> second = Output(Step("5", false, false, one_));
  std::vector<float> both = one_;
  both.insert(both.end(), one_.begin(), one_.end());
  const std::vector<float> expected = Native(both);
  EXPECT_EQ(second, std::vector<float>(expected.end() - kInputs, expected.end()));
}

TEST_F(OpenInferenceTest, StartOnALiveIdBeginsAnewAndIsCounted) {
  const std::vector<float> first = Output(Step("s", true, false, one_));
  EXPECT_NE(Output(Step("s", false, false, one_)), first);
  EXPECT_EQ(Output(Step("s", true, false, one_)), first);
  EXPECT_EQ(server_.Metric("rondo_session_events_total{model=\"lstm\",event=\"restarted\"}"), 1);
  EXPECT_EQ(server_.Metric("rondo_session_events_total{model=\"lstm\",event=\"created\"}"), 1);
  EXPECT_EQ(server_.Metric("rondo_sessions{model=\"lstm\"}"), 1);
}

TEST_F(OpenInferenceTest, ARefusedStartLeavesTheLiveSequenceAsItWas) {
  Output(Step("s", true, false, one_));
  inference::ModelInferRequest bad = Step("s", true, false, one_);
  bad.mutable_raw_input_contents(0)->pop_back();
  ExpectRefused(bad, "11 bytes");
  std::vector<float> both = one_;
  both.insert(both.end(), one_.begin(), one_.end());
  const std::vector<float> expected = Native(both);
  EXPECT_EQ(Output(Step("s", false, false, one_)), std::vector<float>(expected.end() - kInputs, expected.end()));
}

TEST_F(OpenInferenceTest, StartAndEndAtOnceIsASequenceOfOneRequest) {
  EXPECT_EQ(Output(Step("s", true, true, one_)), Native(one_));
  EXPECT_EQ(server_.Metric("rondo_sessions{model=\"lstm\"}"), 0);
  Output(Step("s", true, false, one_));
  EXPECT_EQ(Output(Step("s", true, true, one_)), Native(one_));
  EXPECT_EQ(server_.Metric("rondo_sessions{model=\"lstm\"}"), 0);
}

TEST_F(OpenInferenceTest, ModelsAreDescribedAsPerfAnalyzerReadsThem) {
  grpc::ClientContext metadata_context, config_context;
  inference::ModelMetadataRequest metadata_request;
  metadata_request.set_name("lstm");
  inference::ModelMetadataResponse metadata;
  ASSERT_TRUE(stub_->ModelMetadata(&metadata_context, metadata_request, &metadata).ok());
  EXPECT_EQ(metadata.name(), "lstm");
  EXPECT_THAT(metadata.versions(), ElementsAre("1"));
  EXPECT_THAT(metadata.inputs(0).shape(), ElementsAre(-1, kInputs));
  inference::ModelConfigRequest config_request;
  config_request.set_name("lstm");
  inference::ModelConfigResponse config;
  ASSERT_TRUE(stub_->ModelConfig(&config_context, config_request, &config).ok());
  EXPECT_TRUE(config.config().has_sequence_batching());
  EXPECT_EQ(config.config().max_batch_size(), 1);
  EXPECT_EQ(config.config().input(0).name(), metadata.inputs(0).name());
  EXPECT_EQ(config.config().output(0).name(), metadata.outputs(0).name());
  EXPECT_THAT(config.config().input(0).dims(), ElementsAre(kInputs));
}

TEST_F(OpenInferenceTest, StatisticsAreWhatTheMetricsSay) {
  for (int i = 0; i < 5; ++i) Output(RequestOf(values_));
  grpc::ClientContext context;
  inference::ModelStatisticsRequest request;
  request.set_name("lstm");
  request.set_version("1");
  inference::ModelStatisticsResponse response;
  ASSERT_TRUE(stub_->ModelStatistics(&context, request, &response).ok());
  ASSERT_THAT(response.model_stats(), SizeIs(1));
  const inference::ModelStatistics& stats = response.model_stats(0);
  EXPECT_EQ(stats.inference_count(), 15u);
  EXPECT_EQ(stats.execution_count(), server_.Metric("rondo_step_duration_seconds_count{model=\"lstm\"}"));
  EXPECT_EQ(stats.inference_stats().success().count(), 5u);
  EXPECT_EQ(stats.inference_stats().queue().count(), 5u);
  EXPECT_EQ(stats.inference_stats().compute_infer().count(), 15u);
  EXPECT_GT(stats.inference_stats().compute_infer().ns(), 0u);
  EXPECT_GE(stats.inference_stats().success().ns(), stats.inference_stats().compute_infer().ns());
  EXPECT_GT(stats.last_inference(), 1'600'000'000'000u);
}

TEST_F(OpenInferenceTest, WhatIsNotServedSaysSo) {
  grpc::ClientContext context;
  inference::UnservedResponse response;
  const grpc::Status status = stub_->TraceSetting(&context, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(status.error_message(), HasSubstr("tracing"));
}

class ModelStreamInferTest : public OpenInferenceTest {
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

}  // namespace
}  // namespace rondo
