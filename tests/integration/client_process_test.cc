// The real clients as processes: they are killed with SIGKILL while they step sessions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tests/integration/child_process.h"
#include "tests/integration/known_series.h"
#include "tests/integration/test_server.h"

namespace rondo {
namespace {

class ClientProcessTest : public ::testing::Test {
 protected:
  static std::string Csv(const std::vector<float>& values, size_t columns) {
    std::string csv;
    for (size_t i = 0; i < values.size(); ++i) {
      absl::StrAppendFormat(&csv, "%.9g%c", values[i], i % columns + 1 == columns ? '\n' : ',');
    }
    return csv;
  }

  int64_t PositionOf(const std::string& session_id) {
    v1::GetSessionRequest request;
    v1::Session session;
    grpc::ClientContext context;
    request.set_session_id(session_id);
    const grpc::Status status = server_.sessions().GetSession(&context, request, &session);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return session.position();
  }

  // The next step of the session is answered as if nothing had happened.
  void ExpectGoesOn(const std::string& session_id, size_t series, int64_t position) {
    v1::PredictRequest request;
    v1::PredictResponse response;
    request.set_model("lstm");
    AddSequence(&request, session_id, series_.Inputs(series, position, position + 1))->set_position(position);
    const grpc::Status status = server_.Predict(request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(ValuesOf(response.results(0)), series_.Outputs(series, position, position + 1)) << session_id;
  }

  static constexpr int64_t kRows = 200;
  const ModelFile model_ = MakeTestModel(Cell::kLstm, 3, 16);
  const std::unique_ptr<Network> network_ = NetworkOf(model_);
  const KnownSeries series_{*network_, 4, kRows + 1};
  TestServer server_{{{"lstm", model_}}, MakeDeterministic};
};

TEST_F(ClientProcessTest, KilledStreamsLeaveTheirSessionsWhole) {
  constexpr int kKills = 20;
  for (int i = 0; i < kKills; ++i) {
    const std::string id = absl::StrCat("killed-", i);
    const size_t series = static_cast<size_t>(i) % series_.count();
    ChildProcess client("rondo", {"--server=" + server_.server().address(), "stream", "lstm", "--session=" + id});
    client.WriteInput("a,b,c\n" + Csv(series_.Inputs(series, 0, kRows), 3));
    client.WaitForLine("a");  // the header, and then i predictions
    for (int row = 0; row <= i; ++row) client.WaitForLine(",");
    client.Signal(SIGKILL);
    EXPECT_EQ(client.WaitForExit(), -SIGKILL);
    server_.WaitUntilQuiet();
    const int64_t position = PositionOf(id);
    EXPECT_GT(position, i);
    ExpectGoesOn(id, series, position);
  }
  EXPECT_EQ(server_.Metric("rondo_sessions{model=\"lstm\"}"), kKills);
}

TEST_F(ClientProcessTest, KilledLoadGeneratorsLeaveSessionsThatCanBeStepped) {
  constexpr int kKills = 10, kSessions = 8;
  for (int i = 1; i <= kKills; ++i) {
    ChildProcess client("rondo-load", {"--server=" + server_.server().address(), "--model=lstm",
                                       absl::StrCat("--streams=", kSessions), "--timesteps=4", "--duration=1h"});
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (server_.Metric("rondo_sessions{model=\"lstm\"}") < kSessions * i) {
      ASSERT_LT(absl::Now(), deadline) << "the load does not come up";
    }
    client.Signal(SIGKILL);
    EXPECT_EQ(client.WaitForExit(), -SIGKILL);
  }
  server_.WaitUntilQuiet();
  v1::ListSessionsRequest list;
  v1::ListSessionsResponse page;
  grpc::ClientContext context;
  ASSERT_TRUE(server_.sessions().ListSessions(&context, list, &page).ok());
  EXPECT_EQ(page.sessions_size(), kKills * kSessions);
  v1::PredictRequest request;
  v1::PredictResponse response;
  request.set_model("lstm");
  for (const v1::Session& session : page.sessions()) {
    EXPECT_EQ(session.position() % 4, 0) << "half of a message was applied";
    AddSequence(&request, session.session_id(), RandomValues(3, 1))->set_position(session.position());
  }
  ASSERT_TRUE(server_.Predict(request, &response).ok());
  for (const v1::SequenceResult& result : response.results()) {
    EXPECT_FALSE(result.has_status()) << result.status().message();
  }
}

}  // namespace
}  // namespace rondo
