// StreamPredict against a real server, over a real connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/predict_fixture.h"

namespace rondo {
namespace {

using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using ::testing::SizeIs;

class StreamPredictTest : public PredictTest {
 protected:
  using Stream = grpc::ClientReaderWriter<v1::PredictRequest, v1::PredictResponse>;
  std::unique_ptr<Stream> Open() { return server_.inference().StreamPredict(&context_); }
  grpc::ClientContext context_;
};

TEST_F(StreamPredictTest, RepliesComeInRequestOrderHoweverLongEachTakes) {
  const auto stream = Open();
  constexpr int kMessages = 200;
  std::thread writer([&] {
    for (int i = 0; i < kMessages; ++i) {
      EXPECT_TRUE(stream->Write(RequestOf("", RandomValues(i % 3 == 0 ? 3 * 40 : 3, static_cast<uint32_t>(i)))));
    }
    stream->WritesDone();
  });
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_TRUE(stream->Read(&response_));
    const std::vector<float> inputs = RandomValues(i % 3 == 0 ? 3 * 40 : 3, static_cast<uint32_t>(i));
    EXPECT_THAT(ValuesOf(response_.results(0)), Pointwise(FloatNear(1e-5f), ReferenceOutputs(model_, inputs)));
  }
  writer.join();
  EXPECT_FALSE(stream->Read(&response_));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamPredictTest, OneStreamDrivesManySessions) {
  const auto stream = Open();
  constexpr int kSessions = 300, kSteps = 4;
  for (int step = 0; step < kSteps; ++step) {
    v1::PredictRequest request;
    request.set_model("lstm");
    for (int s = 0; s < kSessions; ++s) {
      AddSequence(&request, "s" + std::to_string(s), RandomValues(3, static_cast<uint32_t>(s * kSteps + step)))
          ->set_position(step);
    }
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&response_));
    ASSERT_THAT(response_.results(), SizeIs(kSessions));
  }
  for (int s = 0; s < kSessions; ++s) {
    std::vector<float> values;
    for (int step = 0; step < kSteps; ++step) {
      const std::vector<float> row = RandomValues(3, static_cast<uint32_t>(s * kSteps + step));
      values.insert(values.end(), row.begin(), row.end());
    }
    const std::vector<float> expected = ReferenceOutputs(model_, values);
    EXPECT_THAT(ValuesOf(response_.results(s)),
                Pointwise(FloatNear(1e-5f), std::vector<float>(expected.end() - 3, expected.end())));
  }
  EXPECT_EQ(server_.Metric("rondo_sessions{model=\"lstm\"}"), kSessions);
}

TEST_F(StreamPredictTest, ARefusedMessageIsAnsweredAndTheStreamLivesOn) {
  const auto stream = Open();
  v1::PredictRequest bad = RequestOf("", RandomValues(3, 1));
  bad.set_model("none");
  ASSERT_TRUE(stream->Write(bad));
  ASSERT_TRUE(stream->Write(RequestOf("", RandomValues(3, 1))));
  ASSERT_TRUE(stream->Read(&response_));
  EXPECT_EQ(response_.status().code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(response_.results(), SizeIs(0));
  ASSERT_TRUE(stream->Read(&response_));
  EXPECT_FALSE(response_.has_status());
  EXPECT_THAT(response_.results(), SizeIs(1));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamPredictTest, PipelinedStepsOfOneSessionRunInOrder) {
  const std::vector<float> values = RandomValues(3 * 100, 5);
  const auto stream = Open();
  std::thread writer([&] {
    for (int64_t t = 0; t < 100; ++t) {
      v1::PredictRequest request = RequestOf("p", {values.begin() + t * 3, values.begin() + t * 3 + 3});
      request.mutable_sequences(0)->set_position(t);
      EXPECT_TRUE(stream->Write(request));
    }
    stream->WritesDone();
  });
  std::vector<float> steps;
  while (stream->Read(&response_)) {
    ASSERT_FALSE(response_.results(0).has_status()) << response_.results(0).status().message();
    const std::vector<float> row = ValuesOf(response_.results(0));
    steps.insert(steps.end(), row.begin(), row.end());
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_THAT(steps, Pointwise(FloatNear(1e-5f), ReferenceOutputs(model_, values)));
}

TEST_F(StreamPredictTest, AnEmptyStreamEndsOk) {
  const auto stream = Open();
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response_));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamPredictTest, AFullServerSaysWhenToTryAgain) {
  TestServer small({{"lstm", model_}}, [](ServerOptions* options) { options->requests.max_streams = 1; });
  grpc::ClientContext first, second;
  const auto open = small.inference().StreamPredict(&first);
  ASSERT_TRUE(open->Write(RequestOf("", RandomValues(3, 1))));
  ASSERT_TRUE(open->Read(&response_));
  const auto refused = small.inference().StreamPredict(&second);
  EXPECT_FALSE(refused->Read(&response_));
  const grpc::Status status = refused->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("max_streams=1"));
  EXPECT_EQ(second.GetServerTrailingMetadata().count("grpc-retry-pushback-ms"), 1u);
  open->WritesDone();
  EXPECT_TRUE(open->Finish().ok());
}

TEST_F(StreamPredictTest, DrainingAnswersWhatItHasReadAndEndsTheStream) {
  const auto stream = Open();
  ASSERT_TRUE(stream->Write(RequestOf("", RandomValues(3, 1))));
  ASSERT_TRUE(stream->Read(&response_));
  std::thread stopper([&] { server_.server().Stop(absl::Seconds(20)); });
  EXPECT_TRUE(stream->Read(&response_));
  EXPECT_TRUE(response_.has_going_away());
  EXPECT_FALSE(stream->Read(&response_));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  stopper.join();
}

}  // namespace
}  // namespace rondo
