#ifndef RONDO_TESTS_INTEGRATION_PREDICT_FIXTURE_H_
#define RONDO_TESTS_INTEGRATION_PREDICT_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/integration/test_server.h"

namespace rondo {

class PredictTest : public ::testing::Test {
 protected:
  v1::PredictRequest RequestOf(const std::string& session_id, const std::vector<float>& values) {
    v1::PredictRequest request;
    request.set_model("lstm");
    AddSequence(&request, session_id, values);
    return request;
  }

  grpc::Status Predict(const v1::PredictRequest& request) {
    response_.Clear();
    return server_.Predict(request, &response_);
  }

  // One step of a session at `position`; its outputs.
  std::vector<float> Step(const std::string& session_id, int64_t position, const std::vector<float>& values) {
    v1::PredictRequest request = RequestOf(session_id, values);
    request.mutable_sequences(0)->set_position(position);
    const grpc::Status status = Predict(request);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response_.results_size() == 1 ? ValuesOf(response_.results(0)) : std::vector<float>();
  }

  const ModelFile model_ = MakeTestModel(Cell::kLstm, 3, 16);
  TestServer server_{{{"lstm", model_}, {"gru", MakeTestModel(Cell::kGru, 2, 8)}}};
  v1::PredictResponse response_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_PREDICT_FIXTURE_H_
