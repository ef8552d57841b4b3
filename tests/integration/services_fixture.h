#ifndef RONDO_TESTS_INTEGRATION_SERVICES_FIXTURE_H_
#define RONDO_TESTS_INTEGRATION_SERVICES_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/integration/test_server.h"

namespace rondo {

// A server of three models over a real connection: "lstm" with two inputs that feed back, "partial", where only the
// first does, and "walk", see RandomWalk.
class ServicesFixture : public ::testing::Test {
 protected:
  // Makes the session and runs the values through it; its reply is predicted_.
  void RunSession(const std::string& id, const std::vector<float>& values) {
    v1::PredictRequest request;
    request.set_model("lstm");
    AddSequence(&request, id, values)->set_position(0);
    const grpc::Status status = server_.Predict(request, &predicted_);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  grpc::Status Create(const v1::CreateSessionRequest& request, v1::Session* session) {
    grpc::ClientContext context;
    return server_.sessions().CreateSession(&context, request, session);
  }

  grpc::Status Get(const std::string& id, v1::Session* session) {
    grpc::ClientContext context;
    v1::GetSessionRequest request;
    request.set_session_id(id);
    return server_.sessions().GetSession(&context, request, session);
  }

  static ModelFile WithoutFeedback() {
    ModelFile model = MakeTestModel(Cell::kLstm, 2, 8);
    model.spec.feedback.pop_back();
    return model;
  }

  // Outputs are changes of mean 0 and standard deviation 1 to 2, added to the inputs: a random walk.
  static ModelFile RandomWalk() {
    ModelFile model = MakeTestModel(Cell::kLstm, 1, 8);
    model.spec.head = Head::kGaussian;
    model.spec.inputs[0] = {"a", 0, 1};
    model.spec.outputs[0] = {"a", 0, 1, "a"};
    model.weights.head_weight.assign(2 * 8, 0.0f);
    model.weights.head_bias.assign(2, 0.0f);
    return model;
  }

  TestServer server_{
      {{"lstm", MakeTestModel(Cell::kLstm, 2, 8)}, {"partial", WithoutFeedback()}, {"walk", RandomWalk()}}};
  v1::PredictResponse predicted_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_SERVICES_FIXTURE_H_
