#include "server/rpc/triton/open_inference_message.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/unit/rpc/infer_requests.h"
#include "tests/unit/serve/serve_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OpenInferenceMessageTest : public ServeFixture, public MessageOwner {
 protected:
  OpenInferenceMessageTest() { static_cast<ServeContext&>(rpc_context_) = context_; }

  void OnMessageDone() override { ++done_; }
  // Runs `values` of session `id`, or of none.
  void RunInfer(const std::string& id, bool start, const std::vector<float>& values) {
    inference::ModelInferRequest request;
    request.set_model_name("sum");
    request.set_id("r1");
    if (!id.empty()) (*request.mutable_parameters())["sequence_id"].set_string_param(id);
    if (start) (*request.mutable_parameters())["sequence_start"].set_bool_param(true);
    AddInput("INPUT", "FP32", {static_cast<int64_t>(values.size()), 1}, &request);
    request.add_raw_input_contents(Raw(values));
    *message_.request() = Received(request);
    message_.Start(now_, absl::InfiniteFuture());
    RunUntilIdle();
    EXPECT_FALSE(message_.running());
  }
  const InferResponse& result() const { return message_.response().infer_response(); }

  RpcContext rpc_context_;
  OpenInferenceMessage message_{&rpc_context_, Method::kModelStreamInfer, this};
  int done_ = 0;
};

TEST_F(OpenInferenceMessageTest, OfARefusedRequestNothingIsKeptButItsId) {
  message_.request()->set_id("r1");
  for (int i = 0; i < 100'000; ++i) message_.request()->add_raw_input_contents();
  message_.Start(now_, absl::InfiniteFuture());
  EXPECT_FALSE(message_.refusal().ok());
  EXPECT_EQ(result().id(), "r1");
  EXPECT_LT(message_.request()->SpaceUsedLong(), 1000u) << "though its reply is not sent yet";
}

TEST_F(OpenInferenceMessageTest, TheReplyHasTheOutputAndSaysWhoseItIs) {
  RunInfer("s", /*start=*/true, {1, 2, 3});
  EXPECT_EQ(done_, 1);
  EXPECT_TRUE(message_.refusal().ok());
  EXPECT_THAT(message_.response().error_message(), IsEmpty());
  EXPECT_EQ(result().id(), "r1");
  EXPECT_EQ(result().model_name(), "sum");
  EXPECT_EQ(result().model_version(), "2");
  EXPECT_THAT(result().outputs(0).shape(), ElementsAre(3, 1));
  EXPECT_EQ(result().raw_output_contents(0), Raw<float>({1, 3, 6}));
}

TEST_F(OpenInferenceMessageTest, AnErrorReplacesTheResultBeforeItAndTheNextResultReplacesTheError) {
  RunInfer("s", /*start=*/true, {1, 2, 3});
  message_.Clear();
  RunInfer("t", /*start=*/false, {1});
  EXPECT_THAT(message_.response().error_message(), HasSubstr("must specify the START flag on the first request"));
  EXPECT_TRUE(absl::IsInvalidArgument(message_.refusal()));
  EXPECT_EQ(result().id(), "r1");
  EXPECT_EQ(result().outputs_size(), 0);
  message_.Clear();
  RunInfer("s", /*start=*/false, {4});
  EXPECT_THAT(message_.response().error_message(), IsEmpty());
  EXPECT_EQ(result().raw_output_contents(0), Raw<float>({10}));
}

TEST_F(OpenInferenceMessageTest, WhatTheKernelRefusesIsAnErrorWithoutAnOutput) {
  RunInfer("", /*start=*/false, {3e38f, 3e38f});
  EXPECT_EQ(message_.refusal().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(result().raw_output_contents_size(), 0);
  EXPECT_EQ(metrics_.requests()->rejected[Why::kInvalid].Value(), 1u);
}

TEST_F(OpenInferenceMessageTest, SessionsOfAVersionGoOnWhenANewerOneTakesOtherInputs) {
  RunInfer("s", /*start=*/true, {1, 2});
  ModelFile two_inputs = SumModel();
  two_inputs.spec.inputs.push_back({"z", 0, 1});
  two_inputs.weights.layers[0] = {{1, 1}, {1}, {0}, {0}};
  Put("sum/3", two_inputs);
  ASSERT_TRUE(registry_->Reload().ok());
  message_.Clear();
  RunInfer("s", /*start=*/false, {4});
  EXPECT_TRUE(message_.refusal().ok()) << message_.refusal();
  EXPECT_EQ(result().model_version(), "2");
  EXPECT_EQ(result().raw_output_contents(0), Raw<float>({7}));
  message_.Clear();
  RunInfer("new", /*start=*/true, {4});
  EXPECT_THAT(message_.response().error_message(), HasSubstr("wanted [timesteps,2]"));
}

TEST_F(OpenInferenceMessageTest, SessionsOfAVersionGoOnWhenItsFolderHasLeft) {
  RunInfer("s", /*start=*/true, {1, 2});
  std::filesystem::remove_all(root_ / "sum");
  registry_->Reload().IgnoreError();
  message_.Clear();
  RunInfer("s", /*start=*/false, {4});
  EXPECT_TRUE(message_.refusal().ok()) << message_.refusal();
  EXPECT_EQ(result().raw_output_contents(0), Raw<float>({7}));
}

}  // namespace
}  // namespace rondo
