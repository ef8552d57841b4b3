// Messages that wait for the loop together run together, also those of one stream.

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/integration/test_server.h"

namespace rondo {
namespace {

constexpr int kPipelined = 8;
constexpr int kRounds = 40;

v1::PredictRequest RequestOf(const std::string& model, const std::string& session, size_t timesteps, int64_t position) {
  v1::PredictRequest request;
  request.set_model(model);
  request.set_last_only(true);
  AddSequence(&request, session, RandomValues(timesteps, 1))->set_position(position);
  return request;
}

class PipelinedStreamTest : public ::testing::Test {
 protected:
  using Stream = std::unique_ptr<grpc::ClientReaderWriter<v1::PredictRequest, v1::PredictResponse>>;

  void TearDown() override {
    busy_context_.TryCancel();
    server_.WaitUntilQuiet();
  }

  // From here on, until the test ends, each turn of the loop takes about a millisecond.
  void KeepTheLoopBusy() {
    busy_ = server_.inference().StreamPredict(&busy_context_);
    ASSERT_TRUE(busy_->Write(RequestOf("slow", "busy", 1'000'000, 0)));
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (server_.Metric("rondo_batch_size_count{model=\"slow\"}") < 1) {
      ASSERT_LT(absl::Now(), deadline) << "the loop never got busy";
    }
  }

  double BatchesAbove(int rows) const {
    return server_.Metric("rondo_batch_size_count{model=\"fast\"}") -
           server_.Metric(absl::StrCat("rondo_batch_size_bucket{model=\"fast\",le=\"", rows, "\"}"));
  }

  TestServer server_{{{"slow", MakeTestModel(Cell::kLstm, 1, 1024)}, {"fast", MakeTestModel(Cell::kLstm, 1, 8)}},
                     [](ServerOptions* options) {
                       options->requests.max_timesteps = 1'000'000;
                       options->registry.network.max_batch_size = kPipelined;
                     }};
  grpc::ClientContext busy_context_;
  Stream busy_;
};

TEST_F(PipelinedStreamTest, MessagesThatWaitTogetherShareABatch) {
  ASSERT_NO_FATAL_FAILURE(KeepTheLoopBusy());
  grpc::ClientContext context;
  const Stream stream = server_.inference().StreamPredict(&context);
  v1::PredictResponse response;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kPipelined; ++i) ASSERT_TRUE(stream->Write(RequestOf("fast", absl::StrCat("s", i), 1, round)));
    for (int i = 0; i < kPipelined; ++i) {
      ASSERT_TRUE(stream->Read(&response));
      ASSERT_EQ(response.results(0).next_position(), round + 1) << response.ShortDebugString();
    }
  }
  // Not all of them: the client may be slower than a turn.
  EXPECT_GE(BatchesAbove(4), 1);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace rondo
