#ifndef RONDO_TESTS_INTEGRATION_OPEN_INFERENCE_FIXTURE_H_
#define RONDO_TESTS_INTEGRATION_OPEN_INFERENCE_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "inference/open_inference.grpc.pb.h"
#include "tests/integration/test_server.h"

namespace rondo {

inline std::string Raw(const std::vector<float>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

inline std::vector<float> Floats(const std::string& raw) {
  std::vector<float> values(raw.size() / sizeof(float));
  std::memcpy(values.data(), raw.data(), values.size() * sizeof(float));
  return values;
}

// A real server with the model lstm, and the protocol's raw stub.
class OpenInferenceFixture : public ::testing::Test {
 protected:
  static constexpr int64_t kInputs = 3;

  explicit OpenInferenceFixture(const std::vector<std::pair<std::string, ModelFile>>& models =
                                    {{"lstm", MakeTestModel(Cell::kLstm, kInputs, 16)}})
      : server_(models) {}

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

  // The last row of what the native API says of `values` twice over.
  std::vector<float> NativeAfter(const std::vector<float>& values) {
    std::vector<float> both = values;
    both.insert(both.end(), values.begin(), values.end());
    const std::vector<float> expected = Native(both);
    return {expected.end() - kInputs, expected.end()};
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
    EXPECT_THAT(status.error_message(), ::testing::HasSubstr(text));
  }

  TestServer server_;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_ =
      inference::GRPCInferenceService::NewStub(server_.channel());
  inference::ModelInferResponse response_;
  const std::vector<float> values_ = RandomValues(3 * kInputs, 1);
  const std::vector<float> one_{0.5f, -1, 2};
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_OPEN_INFERENCE_FIXTURE_H_
