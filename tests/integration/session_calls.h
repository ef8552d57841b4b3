#ifndef RONDO_TESTS_INTEGRATION_SESSION_CALLS_H_
#define RONDO_TESTS_INTEGRATION_SESSION_CALLS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/integration/known_series.h"
#include "tests/integration/test_server.h"

namespace rondo {

// Calls on sessions as values, each to a server's model "m".

inline ModelFile LstmModel(uint32_t seed = 1) { return MakeTestModel(Cell::kLstm, 2, 16, seed); }

struct Exported {
  grpc::Status status;
  v1::ExportSessionResponse response;
};

inline Exported Export(TestServer* server, const std::string& id) {
  grpc::ClientContext context;
  v1::ExportSessionRequest request;
  request.set_session_id(id);
  Exported exported;
  exported.status = server->sessions().ExportSession(&context, request, &exported.response);
  return exported;
}

inline std::string StateOf(TestServer* server, const std::string& id) {
  const Exported exported = Export(server, id);
  EXPECT_TRUE(exported.status.ok()) << exported.status.error_message();
  return exported.response.state();
}

inline grpc::Status Import(TestServer* server, const std::string& state, const std::string& id, v1::Session* session) {
  grpc::ClientContext context;
  v1::ImportSessionRequest request;
  request.set_state(state);
  request.set_session_id(id);
  return server->sessions().ImportSession(&context, request, session);
}

inline grpc::Status Fork(TestServer* server, const std::string& id, const std::string& new_id, v1::Session* session) {
  grpc::ClientContext context;
  v1::ForkSessionRequest request;
  request.set_session_id(id);
  request.set_new_session_id(new_id);
  return server->sessions().ForkSession(&context, request, session);
}

// The reply to timesteps begin .. end - 1 of a series, in one message.
inline std::vector<float> Steps(TestServer* server, const std::string& id, const KnownSeries& series, size_t which,
                                int64_t begin, int64_t end) {
  v1::PredictRequest request;
  v1::PredictResponse response;
  request.set_model("m");
  AddSequence(&request, id, series.Inputs(which, begin, end))->set_position(begin);
  const grpc::Status status = server->Predict(request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return status.ok() ? ValuesOf(response.results(0)) : std::vector<float>();
}

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_SESSION_CALLS_H_
