// A real server, and a real collector that it sends the traces of its requests to.

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "base/steady_time.h"
#include "inference/open_inference.grpc.pb.h"
#include "tests/integration/test_certificates.h"
#include "tests/integration/test_server.h"
#include "tests/integration/trace_collector.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kParent = "00f067aa0ba902b7";
const std::string kSampled = "00-" + kTrace + "-" + kParent + "-01";
const std::string kNotSampled = "00-" + kTrace + "-" + kParent + "-00";

std::string HexOf(const std::string& bytes) { return absl::BytesToHexString(bytes); }

class TracingTest : public testing::Test {
 protected:
  void Start(double sampling) { Start(sampling, collector_.endpoint(), ""); }
  void Start(double sampling, const std::string& endpoint, const std::string& tls_ca) {
    server_ = std::make_unique<TestServer>(
        std::vector<std::pair<std::string, ModelFile>>{{"lstm", MakeTestModel(Cell::kLstm, 1, 8)}},
        [&](ServerOptions* options) {
          options->tracing.sampling = sampling;
          options->tracing.otlp_endpoint = endpoint;
          options->tracing.otlp_tls_ca = tls_ca;
        });
  }
  static std::unique_ptr<grpc::ClientContext> With(const std::string& traceparent, const std::string& tracestate = "") {
    auto context = std::make_unique<grpc::ClientContext>();
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    if (!traceparent.empty()) context->AddMetadata("traceparent", traceparent);
    if (!tracestate.empty()) context->AddMetadata("tracestate", tracestate);
    return context;
  }
  static v1::PredictRequest StepOf(const std::string& session, const std::string& model = "lstm") {
    v1::PredictRequest request;
    request.set_model(model);
    v1::Sequence* const sequence = AddSequence(&request, session, {1, 2, 3});
    if (!session.empty()) sequence->set_position(0);
    return request;
  }
  // One unary message of three timesteps.
  grpc::StatusCode Predict(const std::string& traceparent, const v1::PredictRequest& request = StepOf("")) {
    v1::PredictResponse response;
    return server_->inference().Predict(With(traceparent, "a=b").get(), request, &response).error_code();
  }
  // The spans of the answers that the collector has once it has one with the trace id `last`, which is asked for now.
  std::vector<otlp::Span> AnswersUntil(const std::string& last) {
    EXPECT_EQ(Predict("00-" + last + "-" + kParent + "-01"), grpc::StatusCode::OK);
    std::vector<otlp::Span> answers;
    do {
      const std::vector<otlp::Span> spans = collector_.AwaitAnswers(answers.size() + 1);
      const size_t before = std::exchange(answers, {}).size();
      absl::c_copy_if(spans, std::back_inserter(answers), IsAnswer);
      if (answers.size() <= before) break;
    } while (HexOf(answers.back().trace_id()) != last);
    EXPECT_TRUE(!answers.empty() && HexOf(answers.back().trace_id()) == last) << "the last trace never came";
    return answers;
  }

  const std::string last_ = std::string(31, '0') + "1";
  TraceCollector collector_{grpc::InsecureServerCredentials()};
  std::unique_ptr<TestServer> server_;
};

TEST_F(TracingTest, AMessageIsAChildOfTheCallersSpanAndHasItsParts) {
  Start(/*sampling=*/0);
  ASSERT_EQ(Predict(kSampled, StepOf("secret")), grpc::StatusCode::OK);
  const std::vector<otlp::Span> spans = collector_.AwaitAnswers(1);
  ASSERT_GE(spans.size(), 3U);
  const otlp::Span& answer = spans.back();
  ASSERT_TRUE(IsAnswer(answer));
  EXPECT_EQ(HexOf(answer.trace_id()), kTrace);
  EXPECT_EQ(HexOf(answer.parent_span_id()), kParent);
  EXPECT_EQ(answer.span_id().size(), 8U);
  EXPECT_EQ(answer.trace_state(), "a=b");
  EXPECT_EQ(answer.name(), "rondo.v1.Inference/Predict");
  EXPECT_EQ(answer.status().code(), otlp::Status::STATUS_CODE_UNSET);
  const auto& attributes = answer.attributes();
  EXPECT_EQ(AttributeOf(attributes, "rpc.system"), "grpc");
  EXPECT_EQ(AttributeOf(attributes, "rpc.service"), "rondo.v1.Inference");
  EXPECT_EQ(AttributeOf(attributes, "rpc.method"), "Predict");
  EXPECT_EQ(AttributeOf(attributes, "rpc.grpc.status_code"), "0");
  EXPECT_EQ(AttributeOf(attributes, "rondo.model"), "lstm");
  EXPECT_EQ(AttributeOf(attributes, "rondo.sequences"), "1");
  EXPECT_EQ(AttributeOf(attributes, "rondo.timesteps"), "3");

  std::vector<std::string> parts;
  for (const otlp::Span& span : spans) {
    EXPECT_THAT(span.DebugString(), Not(HasSubstr("secret")));  // the session's id stays here
    if (IsAnswer(span)) continue;
    parts.push_back(span.name());
    EXPECT_EQ(HexOf(span.trace_id()), kTrace);
    EXPECT_EQ(span.parent_span_id(), answer.span_id());
    EXPECT_NE(span.span_id(), answer.span_id());
    EXPECT_GE(span.start_time_unix_nano(), answer.start_time_unix_nano());
    EXPECT_LE(span.end_time_unix_nano(), answer.end_time_unix_nano());
    EXPECT_LT(span.start_time_unix_nano(), span.end_time_unix_nano());
  }
  EXPECT_THAT(parts, AllOf(Contains("queue"), Contains("compute")));
  const otlp::Resource resource = collector_.resource();
  EXPECT_EQ(AttributeOf(resource.attributes(), "service.name"), "rondo-server");
  EXPECT_NE(AttributeOf(resource.attributes(), "service.instance.id"), "");
  EXPECT_NE(AttributeOf(resource.attributes(), "service.version"), "");
}

TEST_F(TracingTest, EachMessageOfAStreamIsAChildOfTheStreamsParent) {
  Start(/*sampling=*/0);
  const std::unique_ptr<grpc::ClientContext> context = With(kSampled);
  const auto stream = server_->inference().StreamPredict(context.get());
  for (int i = 0; i < 3; ++i) {
    v1::PredictResponse response;
    ASSERT_TRUE(stream->Write(StepOf("")));
    ASSERT_TRUE(stream->Read(&response));
  }
  stream->WritesDone();
  const std::vector<otlp::Span> answers = AnswersUntil(last_);
  ASSERT_EQ(answers.size(), 4U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(answers[i].name(), "rondo.v1.Inference/StreamPredict");
    EXPECT_EQ(HexOf(answers[i].trace_id()), kTrace);
    EXPECT_EQ(HexOf(answers[i].parent_span_id()), kParent);
  }
  EXPECT_NE(answers[0].span_id(), answers[1].span_id());
}

TEST_F(TracingTest, TritonsProtocolForecastsAndCallsAboutSessionsAreTracedToo) {
  Start(/*sampling=*/0);
  inference::ModelInferRequest request;
  request.set_model_name("lstm");
  auto* const input = request.add_inputs();
  input->set_name("INPUT");
  input->set_datatype("FP32");
  input->add_shape(1);
  input->add_shape(1);
  input->mutable_contents()->add_fp32_contents(1);
  inference::ModelInferResponse response;
  EXPECT_TRUE(inference::GRPCInferenceService::NewStub(server_->channel())
                  ->ModelInfer(With(kSampled).get(), request, &response)
                  .ok());
  ASSERT_EQ(Predict("", StepOf("secret")), grpc::StatusCode::OK);
  v1::ForecastRequest forecast;
  forecast.set_model("lstm");
  forecast.set_session_id("secret");
  forecast.set_horizon(2);
  v1::ForecastResponse forecasted;
  EXPECT_TRUE(server_->inference().Forecast(With(kSampled).get(), forecast, &forecasted).ok());
  v1::GetSessionRequest get;
  get.set_session_id("secret");
  v1::Session session;
  EXPECT_TRUE(server_->sessions().GetSession(With(kSampled).get(), get, &session).ok());
  const std::vector<otlp::Span> answers = AnswersUntil(last_);
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[0].name(), "inference.GRPCInferenceService/ModelInfer");
  EXPECT_EQ(answers[1].name(), "rondo.v1.Inference/Forecast");
  EXPECT_EQ(AttributeOf(answers[1].attributes(), "rondo.model"), "lstm");
  EXPECT_EQ(answers[2].name(), "rondo.v1.Sessions/GetSession");
}

TEST_F(TracingTest, ARefusedMessageSaysItsCodeAndNotItsText) {
  Start(/*sampling=*/0);
  EXPECT_EQ(Predict(kSampled, StepOf("secret", "no-such-model")), grpc::StatusCode::NOT_FOUND);
  const std::vector<otlp::Span> answers = AnswersUntil(last_);
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].status().code(), otlp::Status::STATUS_CODE_ERROR);
  EXPECT_EQ(AttributeOf(answers[0].attributes(), "rpc.grpc.status_code"), "5");
  EXPECT_THAT(answers[0].DebugString(), Not(HasSubstr("no-such-model")));
}

TEST_F(TracingTest, WithoutSamplingOnlyCallsWhoseParentIsSampledAreTraced) {
  Start(/*sampling=*/0);
  for (const std::string& parent : {std::string(), kNotSampled}) ASSERT_EQ(Predict(parent), grpc::StatusCode::OK);
  EXPECT_EQ(AnswersUntil(last_).size(), 1U);
}

TEST_F(TracingTest, WithSamplingOfOneAllAreTracedButThoseWhoseParentIsNot) {
  Start(/*sampling=*/1);
  for (const std::string& parent : {std::string(), kNotSampled, std::string()}) {
    ASSERT_EQ(Predict(parent), grpc::StatusCode::OK);
  }
  const std::vector<otlp::Span> answers = AnswersUntil(last_);
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0].parent_span_id(), "");
  EXPECT_EQ(answers[1].parent_span_id(), "");
  EXPECT_NE(answers[0].trace_id(), answers[1].trace_id());
  EXPECT_EQ(answers[0].trace_state(), "");
}

TEST_F(TracingTest, AMalformedTraceparentIsIgnored) {
  Start(/*sampling=*/0);
  for (const std::string& malformed :
       {std::string("x"), kSampled + "0", kSampled.substr(0, 54), "ff" + kSampled.substr(2),
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kParent + "-01", "00-" + std::string(32, '0') + "-" + kParent + "-01",
        "00-" + kTrace + "-" + std::string(16, '0') + "-01"}) {
    ASSERT_EQ(Predict(malformed), grpc::StatusCode::OK);
  }
  const std::unique_ptr<grpc::ClientContext> twice = With(kSampled);
  twice->AddMetadata("traceparent", kSampled);
  v1::PredictResponse response;
  ASSERT_TRUE(server_->inference().Predict(twice.get(), StepOf(""), &response).ok());
  EXPECT_EQ(AnswersUntil(last_).size(), 1U);
}

TEST_F(TracingTest, ACollectorThatHangsSlowsNothingAndWhatItMissesIsCounted) {
  constexpr int kMessages = 6000;  // of two spans at least: more than wait, and a batch
  collector_.Hang();
  Start(/*sampling=*/1);
  const std::unique_ptr<grpc::ClientContext> context = With("");
  const auto stream = server_->inference().StreamPredict(context.get());
  for (int i = 0; i < kMessages; ++i) {
    v1::PredictResponse response;
    ASSERT_TRUE(stream->Write(StepOf("")));
    ASSERT_TRUE(stream->Read(&response));
    if (i == 1000) collector_.AwaitHanging();
  }
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_GT(server_->Metric("rondo_spans_dropped_total{cause=\"queue_full\"}"), 0);
  const absl::Time start = SteadyNow();
  EXPECT_EQ(server_->server().Stop(absl::Seconds(5)), 0U);
  EXPECT_LT(SteadyNow() - start, absl::Seconds(10));  // the collector may take 10 s for each batch
  EXPECT_GE(server_->Metric("rondo_spans_dropped_total{cause=\"stopped\"}"), 8192);
  EXPECT_EQ(server_->Metric("rondo_spans_exported_total"), 0);
}

TEST_F(TracingTest, WhatACollectorRefusesForNowIsSentAgain) {
  collector_.AnswerNext([](auto*) { return grpc::Status(grpc::StatusCode::UNAVAILABLE, "starting"); });
  Start(/*sampling=*/0);
  EXPECT_EQ(AnswersUntil(last_).size(), 1U);
  EXPECT_EQ(server_->Metric("rondo_spans_dropped_total{cause=\"refused\"}"), 0);
}

TEST_F(TracingTest, WhatACollectorRefusesForGoodIsCounted) {
  for (const grpc::StatusCode code : {grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::RESOURCE_EXHAUSTED}) {
    std::promise<void> came;
    collector_.AnswerNext([&came, code](auto*) {
      came.set_value();
      return grpc::Status(code, "no");
    });
    Start(/*sampling=*/0);
    ASSERT_EQ(Predict(kSampled), grpc::StatusCode::OK);
    ASSERT_EQ(came.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
    server_->server().Stop(absl::Seconds(5));
    EXPECT_GE(server_->Metric("rondo_spans_dropped_total{cause=\"refused\"}"), 3) << code;
    EXPECT_EQ(server_->Metric("rondo_spans_dropped_total{cause=\"stopped\"}"), 0) << code;
  }
}

TEST_F(TracingTest, WhatIsQueuedAtTheEndIsSentBeforeTheServerGoes) {
  Start(/*sampling=*/0);
  const size_t before = AnswersUntil(last_).size();  // so that the server is connected: it has a second at the end
  ASSERT_EQ(Predict(kSampled), grpc::StatusCode::OK);
  server_->server().Stop(absl::Seconds(5));
  EXPECT_EQ(server_->Metric("rondo_spans_exported_total"),
            static_cast<double>(collector_.AwaitAnswers(before + 1).size()));
  EXPECT_EQ(server_->Metric("rondo_spans_dropped_total{cause=\"stopped\"}"), 0);
}

TEST_F(TracingTest, WithACaTheCollectorHasToShowACertificateOfIt) {
  const TemporaryFolder folder;
  const CertificateAuthority authority, other;
  const Certificate own = authority.Issue("localhost");
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({own.key, own.cert});
  TraceCollector collector(grpc::SslServerCredentials(tls));
  const std::string port = collector.endpoint().substr(collector.endpoint().rfind(':'));
  for (const bool trusted : {false, true}) {
    const std::string file = folder.path() + (trusted ? "/ca.pem" : "/other.pem");
    std::ofstream(file) << (trusted ? authority : other).cert();
    Start(/*sampling=*/0, "localhost" + port, file);
    ASSERT_EQ(Predict(kSampled), grpc::StatusCode::OK);
    if (trusted) collector.AwaitAnswers(1);
    server_->server().Stop(absl::Seconds(5));
    EXPECT_EQ(server_->Metric("rondo_spans_exported_total") > 0, trusted);
  }
  ServerOptions options = TestOptions();
  options.registry.model_repository = folder.path();
  options.tracing.otlp_endpoint = "localhost" + port;
  options.tracing.otlp_tls_ca = folder.path() + "/none.pem";
  EXPECT_THAT(std::string(Server::Start(options).status().message()), HasSubstr("--otlp_tls_ca="));
}

}  // namespace
}  // namespace rondo
