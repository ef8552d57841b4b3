#ifndef RONDO_TESTS_INTEGRATION_TENANT_CLIENT_H_
#define RONDO_TESTS_INTEGRATION_TENANT_CLIENT_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "inference/open_inference.grpc.pb.h"
#include "tests/integration/test_server.h"

namespace rondo {

// What a call ends with, in bytes: code, text and trailers, but for when to try again, which is a matter of chance.
using Ending = std::string;

inline bool StartsWithOk(const Ending& ending) { return ending.substr(0, 2) == "0 "; }

// One tenant's client. Its token is the tenant's name.
class TenantClient {
 public:
  TenantClient(TestServer* server, std::string token)
      : server_(server),
        token_(std::move(token)),
        triton_(inference::GRPCInferenceService::NewStub(server->channel())) {}

  // Runs `call(context)` with the tenant's token.
  template <typename Call>
  Ending End(const Call& call) const {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token_);
    const grpc::Status status = call(&context);
    Ending ending = absl::StrCat(status.error_code(), " ", status.error_message());
    for (const auto& [name, value] : context.GetServerTrailingMetadata()) {
      absl::StrAppend(&ending, " ", std::string(name.data(), name.size()));
      if (name != "grpc-retry-pushback-ms") absl::StrAppend(&ending, "=", std::string(value.data(), value.size()));
    }
    return ending;
  }

  Ending Create(const std::string& id) const {
    v1::CreateSessionRequest request;
    request.set_model("lstm");
    request.set_session_id(id);
    v1::Session session;
    return End([&](auto* context) { return server_->sessions().CreateSession(context, request, &session); });
  }
  Ending Get(const std::string& id, v1::Session* session) const {
    v1::GetSessionRequest request;
    request.set_session_id(id);
    return End([&](auto* context) { return server_->sessions().GetSession(context, request, session); });
  }
  Ending Delete(const std::string& id) const {
    v1::DeleteSessionRequest request;
    request.set_session_id(id);
    v1::DeleteSessionResponse response;
    return End([&](auto* context) { return server_->sessions().DeleteSession(context, request, &response); });
  }
  Ending Export(const std::string& id, std::string* state) const {
    v1::ExportSessionRequest request;
    request.set_session_id(id);
    v1::ExportSessionResponse response;
    const Ending ending =
        End([&](auto* context) { return server_->sessions().ExportSession(context, request, &response); });
    *state = response.state();
    return ending;
  }
  Ending Import(const std::string& id, const std::string& state) const {
    v1::ImportSessionRequest request;
    request.set_session_id(id);
    request.set_state(state);
    v1::Session session;
    return End([&](auto* context) { return server_->sessions().ImportSession(context, request, &session); });
  }
  Ending Fork(const std::string& id, const std::string& to) const {
    v1::ForkSessionRequest request;
    request.set_session_id(id);
    request.set_new_session_id(to);
    v1::Session session;
    return End([&](auto* context) { return server_->sessions().ForkSession(context, request, &session); });
  }
  std::vector<std::string> List() const {
    v1::ListSessionsResponse response;
    EXPECT_EQ(End([&](auto* context) { return server_->sessions().ListSessions(context, {}, &response); }), "0 ");
    std::vector<std::string> ids;
    for (const v1::Session& session : response.sessions()) ids.push_back(session.session_id());
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  Ending Predict(const std::string& id, const std::vector<float>& values, std::optional<int64_t> position,
                 v1::PredictResponse* response) const {
    v1::PredictRequest request;
    request.set_model("lstm");
    v1::Sequence* const sequence = AddSequence(&request, id, values);
    if (position) sequence->set_position(*position);
    return End([&](auto* context) { return server_->inference().Predict(context, request, response); });
  }
  // The reply's bytes too: a stream's status says nothing of its messages.
  Ending Stream(const std::string& id) const {
    v1::PredictRequest request;
    request.set_model("lstm");
    AddSequence(&request, id, {1, 2});
    v1::PredictResponse response;
    const Ending ending = End([&](auto* context) {
      const auto stream = server_->inference().StreamPredict(context);
      stream->Write(request);
      stream->Read(&response);
      stream->WritesDone();
      return stream->Finish();
    });
    return absl::StrCat(ending, " ", response.ShortDebugString());
  }
  Ending Forecast(const std::string& id) const {
    v1::ForecastRequest request;
    request.set_model("lstm");
    request.set_session_id(id);
    request.set_horizon(1);
    v1::ForecastResponse response;
    return End([&](auto* context) { return server_->inference().Forecast(context, request, &response); });
  }
  Ending Infer(const std::string& id, bool start) const {
    inference::ModelInferRequest request;
    request.set_model_name("lstm");
    (*request.mutable_parameters())["sequence_id"].set_string_param(id);
    (*request.mutable_parameters())["sequence_start"].set_bool_param(start);
    inference::ModelInferRequest::InferInputTensor* const input = request.add_inputs();
    input->set_name("INPUT");
    input->set_datatype("FP32");
    for (const int64_t size : {1, 2}) input->add_shape(size);
    for (const float value : {1.0f, 2.0f}) input->mutable_contents()->add_fp32_contents(value);
    inference::ModelInferResponse response;
    return End([&](auto* context) { return triton_->ModelInfer(context, request, &response); });
  }
  // How every method answers about the id, without making a session.
  std::vector<Ending> AskAll(const std::string& id) const {
    v1::Session session;
    v1::PredictResponse response;
    std::string state;
    return {Get(id, &session),
            Predict(id, {1, 2}, std::nullopt, &response),
            Predict(id, {1, 2}, 1, &response),
            Stream(id),
            Forecast(id),
            Infer(id, false),
            Export(id, &state),
            Fork(id, "copy"),
            Delete(id)};
  }

 private:
  TestServer* const server_;
  const std::string token_;
  const std::unique_ptr<inference::GRPCInferenceService::Stub> triton_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_TENANT_CLIENT_H_
