// inference.GRPCInferenceService against a real server, by its raw stubs: unary calls.

#include "absl/time/clock.h"
#include "tests/integration/open_inference_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class OpenInferenceTest : public OpenInferenceFixture {};

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
  EXPECT_EQ(second, NativeAfter(one_));
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
  EXPECT_EQ(Output(Step("s", false, false, one_)), NativeAfter(one_));
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

class StatisticsTest : public OpenInferenceFixture {
 protected:
  inference::ModelStatistics Statistics() {
    grpc::ClientContext context;
    inference::ModelStatisticsRequest request;
    request.set_name("lstm");
    request.set_version("1");
    inference::ModelStatisticsResponse response;
    EXPECT_TRUE(stub_->ModelStatistics(&context, request, &response).ok());
    EXPECT_THAT(response.model_stats(), SizeIs(1));
    return response.model_stats_size() == 1 ? response.model_stats(0) : inference::ModelStatistics();
  }

  // Of all methods that are counted as inferences. `suffix`: count or sum.
  double Requests(const std::string& suffix, const std::string& code) {
    double total = 0;
    for (const std::string method : {"Predict", "StreamPredict", "ModelInfer", "ModelStreamInfer"}) {
      total += server_.Metric("rondo_request_duration_seconds_" + suffix + "{model=\"lstm\",method=\"" + method +
                              "\",code=\"" + code + "\"}");
    }
    return total;
  }

  double Histogram(const std::string& name) { return server_.Metric("rondo_" + name + "{model=\"lstm\"}"); }

  // Sums of nanoseconds, which /metrics shows in seconds with some digits.
  static void ExpectSeconds(const inference::StatisticDuration& duration, double seconds) {
    EXPECT_NEAR(static_cast<double>(duration.ns()) * 1e-9, seconds, 1e-4 * seconds + 1e-9);
  }
};

TEST_F(StatisticsTest, CountsAndTimesAreThoseOfTheMetricsAfterAKnownNumberOfRequests) {
  const absl::Time begin = absl::Now();
  for (int i = 0; i < 20; ++i) Output(RequestOf(values_));
  for (int i = 0; i < 4; ++i) Native(values_);
  for (int i = 0; i < 3; ++i) ExpectRefused(Step(9, false, false, one_), "START");
  const double wall_ns = absl::ToDoubleNanoseconds(absl::Now() - begin);
  const inference::ModelStatistics statistics = Statistics();
  const inference::InferStatistics& stats = statistics.inference_stats();

  EXPECT_EQ(stats.success().count(), 24u);
  EXPECT_EQ(stats.fail().count(), 3u);
  EXPECT_EQ(stats.queue().count(), 24u);
  EXPECT_EQ(statistics.inference_count(), 72u);  // timesteps
  EXPECT_EQ(stats.compute_infer().count(), 72u);
  EXPECT_EQ(stats.compute_input().count(), 72u);
  EXPECT_EQ(stats.compute_output().count(), 72u);

  EXPECT_EQ(static_cast<double>(stats.success().count()), Requests("count", "OK"));
  EXPECT_EQ(static_cast<double>(stats.fail().count()), Requests("count", "NOT_FOUND"));
  EXPECT_EQ(static_cast<double>(stats.queue().count()), Histogram("queue_duration_seconds_count"));
  EXPECT_EQ(static_cast<double>(statistics.inference_count()), Histogram("steps_total"));
  EXPECT_EQ(static_cast<double>(statistics.execution_count()), Histogram("step_duration_seconds_count"));
  ExpectSeconds(stats.success(), Requests("sum", "OK"));
  ExpectSeconds(stats.fail(), Requests("sum", "NOT_FOUND"));
  ExpectSeconds(stats.queue(), Histogram("queue_duration_seconds_sum"));
  ExpectSeconds(stats.compute_infer(), Histogram("step_duration_seconds_sum"));  // one row a batch here

  // One request at a time: their times add up, and each is made of its parts.
  EXPECT_LT(static_cast<double>(stats.success().ns()), wall_ns);
  EXPECT_GE(stats.success().ns(), stats.queue().ns() + stats.compute_infer().ns());
  EXPECT_GT(stats.compute_infer().ns(), 0u);
  EXPECT_GE(statistics.last_inference(), static_cast<uint64_t>(absl::ToUnixMillis(begin)));
}

TEST_F(StatisticsTest, AFailureThatComesBeforeAnyModelIsNoModelsFailure) {
  inference::ModelInferRequest request = RequestOf(values_);
  request.set_model_name("nobody");
  EXPECT_EQ(Infer(request).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Statistics().inference_stats().fail().count(), 0u);
}

TEST_F(OpenInferenceTest, WhatIsNotServedSaysSo) {
  grpc::ClientContext context;
  inference::UnservedResponse response;
  const grpc::Status status = stub_->TraceSetting(&context, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(status.error_message(), HasSubstr("tracing"));
}

// Two versions of one model, and another model.
class ManyModelsTest : public OpenInferenceFixture {
 protected:
  static std::vector<std::pair<std::string, ModelFile>> Models() {
    ModelFile turned = MakeTestModel(Cell::kLstm, kInputs, 16, 1);
    std::swap(turned.spec.inputs[0], turned.spec.inputs[2]);
    return {{"lstm/1", MakeTestModel(Cell::kLstm, kInputs, 16, 1)},
            {"turned/1", MakeTestModel(Cell::kLstm, kInputs, 16, 1)},
            {"turned/2", std::move(turned)},
            {"lstm/2", MakeTestModel(Cell::kLstm, kInputs, 24, 2)},
            {"other", MakeTestModel(Cell::kGru, kInputs, 8, 3)}};
  }

  inference::ModelInferRequest VersionedStep(const std::string& version, bool start) {
    inference::ModelInferRequest request = Step(5, start, false, one_);
    request.set_model_version(version);
    return request;
  }

  // The same step with a tensor an input, in another order.
  inference::ModelInferRequest NamedStep(const std::string& model, const std::string& version, bool start) {
    inference::ModelInferRequest request = VersionedStep(version, start);
    request.set_model_name(model);
    request.clear_inputs();
    request.clear_raw_input_contents();
    for (const size_t column : {1, 2, 0}) {
      auto* const input = request.add_inputs();
      input->set_name(std::string(1, static_cast<char>('a' + column)));
      input->set_datatype("FP32");
      input->add_shape(1);
      request.add_raw_input_contents(Raw({one_[column]}));
    }
    return request;
  }

  ManyModelsTest() : OpenInferenceFixture(Models()) {}
};

TEST_F(ManyModelsTest, StartOnAnotherVersionMovesTheSequenceThere) {
  const std::vector<float> first_version = Output(VersionedStep("1", true));
  EXPECT_EQ(response_.model_version(), "1");
  const std::vector<float> second_version = Output(VersionedStep("2", true));
  EXPECT_EQ(response_.model_version(), "2");
  EXPECT_NE(first_version, second_version);
  Output(VersionedStep("", false));  // goes on where it lives
  EXPECT_EQ(response_.model_version(), "2");
  const grpc::Status status = Infer(VersionedStep("1", false));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("session '5' runs model 'lstm' version 2; the request names 'lstm'"));
  EXPECT_EQ(Output(VersionedStep("1", true)), first_version);
  EXPECT_EQ(server_.Metric("rondo_session_events_total{model=\"lstm\",event=\"restarted\"}"), 2);
  EXPECT_EQ(server_.Metric("rondo_sessions{model=\"lstm\"}"), 1);
}

TEST_F(ManyModelsTest, StartWithoutAVersionTakesTheNewest) {
  Output(VersionedStep("1", true));
  Output(VersionedStep("", false));
  EXPECT_EQ(response_.model_version(), "1");
  Output(VersionedStep("", true));
  EXPECT_EQ(response_.model_version(), "2");
}

TEST_F(ManyModelsTest, NamedInputsGoOnOnTheVersionWhereTheSequenceLives) {
  const std::vector<float> first = Output(NamedStep("lstm", "1", true));
  EXPECT_EQ(first, Output(VersionedStep("1", true)));
  const std::vector<float> second = Output(VersionedStep("1", false));
  EXPECT_EQ(first, Output(NamedStep("lstm", "1", true)));
  EXPECT_EQ(second, Output(NamedStep("lstm", "", false)));  // though version 2 is the newest
  EXPECT_EQ(response_.model_version(), "1");
}

TEST_F(ManyModelsTest, NamedInputsAreReadByTheVersionWhereTheSequenceLives) {
  const std::vector<float> first = Output(NamedStep("turned", "1", true));
  const std::vector<float> second = Output(NamedStep("turned", "1", false));
  EXPECT_EQ(first, Output(NamedStep("turned", "1", true)));
  EXPECT_EQ(second, Output(NamedStep("turned", "", false)));  // though version 2 has them in another order
  EXPECT_EQ(response_.model_version(), "1");
}

TEST_F(ManyModelsTest, StartOnAnotherModelIsRefusedAndTheLiveSequenceGoesOn) {
  Output(VersionedStep("1", true));
  inference::ModelInferRequest other = Step(5, true, false, one_);
  other.set_model_name("other");
  const grpc::Status status = Infer(other);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(),
              HasSubstr("session '5' is live on model 'lstm'; the request starts it on 'other'"));
  inference::ModelInferRequest end = VersionedStep("1", false);
  (*end.mutable_parameters())["sequence_end"].set_bool_param(true);
  Output(end);
  Output(other);
  EXPECT_EQ(response_.model_name(), "other");
}

}  // namespace
}  // namespace rondo
