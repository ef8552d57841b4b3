// Clients that vanish at every stage of what they do, a thousand times, while others work: afterwards the server has
// nothing left of them but sessions that stand where a whole message ended.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/integration/client_killer.h"
#include "tests/integration/healthy_load.h"
#include "tests/integration/known_series.h"
#include "tests/integration/test_server.h"

namespace rondo {
namespace {

constexpr int kKillsPerHalf = 500;
constexpr size_t kThreads = 4;
constexpr size_t kHealthyClients = 2;
constexpr size_t kMaxStreams = 64;
// Their state slots fill slabs exactly: a single one that leaks makes the pool grow once all sessions are there.
constexpr size_t kMaxSessions = 512;

class ClientKillTest : public ::testing::TestWithParam<size_t> {
 protected:
  ClientKillTest()
      : server_({{"lstm", model_}}, [](ServerOptions* options) {
          MakeDeterministic(options);
          options->loops.count = GetParam();
          options->requests.max_streams = kMaxStreams;
          options->keepalive_time = absl::Seconds(1);
          options->sessions.max_sessions = kMaxSessions;
        }) {}

  std::vector<Victim> Storm(int first);
  void ExpectAllStreamsAreFree();
  // Each session can be stepped at once, and goes on from the end of a whole message. Deletes them; how many there
  // were.
  size_t ExpectSessionsAreIntact(const std::vector<Victim>& victims);
  void DeleteSession(const std::string& session_id);
  // Makes sessions until the server is full; they are gone again when it returns how many.
  size_t FillWithSessions();
  double StateBytes();

  const ModelFile model_ = MakeTestModel(Cell::kLstm, 16, 128);
  const std::unique_ptr<Network> network_ = NetworkOf(model_);
  const KnownSeries series_{*network_, 4, ClientKiller::kTimesteps + 1};
  TestServer server_;
  std::unique_ptr<HealthyLoad> load_;
  std::unique_ptr<ClientKiller> killer_;
  double bytes_when_full_ = 0;  // of the states, when FillWithSessions had found no more place
};

std::vector<Victim> ClientKillTest::Storm(int first) {
  std::atomic<int> next{first};
  std::vector<std::future<std::vector<Victim>>> killers;
  for (size_t i = 0; i < kThreads; ++i) {
    killers.push_back(std::async(std::launch::async, [&] {
      std::vector<Victim> victims;
      for (int number = next++; number < first + kKillsPerHalf; number = next++) {
        victims.push_back(killer_->Kill(static_cast<Stage>(number % kStages),
                                        static_cast<Death>(number / kStages % kDeaths), number));
      }
      return victims;
    }));
  }
  std::vector<Victim> all;
  for (std::future<std::vector<Victim>>& killer : killers) {
    std::vector<Victim> victims = killer.get();
    std::move(victims.begin(), victims.end(), std::back_inserter(all));
  }
  return all;
}

void ClientKillTest::ExpectAllStreamsAreFree() {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  size_t open = 0;
  while (open < kMaxStreams - kHealthyClients) {
    ASSERT_LT(absl::Now(), deadline) << "only " << open << " streams can be opened";
    open = 0;
    std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
    std::vector<std::unique_ptr<DoomedClient::Stream>> streams;
    for (size_t i = 0; i < kMaxStreams - kHealthyClients; ++i) {
      contexts.push_back(std::make_unique<grpc::ClientContext>());
      streams.push_back(server_.inference().StreamPredict(contexts.back().get()));
      v1::PredictRequest request;
      v1::PredictResponse response;
      request.set_model("lstm");
      AddSequence(&request, "", series_.Inputs(0, 0, 1));
      if (streams.back()->Write(request) && streams.back()->Read(&response)) ++open;
    }
    for (const std::unique_ptr<DoomedClient::Stream>& stream : streams) {
      stream->WritesDone();
      stream->Finish();
    }
  }
}

size_t ClientKillTest::ExpectSessionsAreIntact(const std::vector<Victim>& victims) {
  size_t alive = 0;
  for (const Victim& victim : victims) {
    const int64_t found = killer_->PositionOf(victim.session_id);
    const int64_t position = std::max<int64_t>(found, 0);
    const std::string what = absl::StrCat(victim.session_id, " at stage ", static_cast<int>(victim.stage));
    alive += found >= 0 ? 1 : 0;
    EXPECT_EQ(victim.ends_of_messages.count(position), 1u) << what << " stands at " << position;
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
    v1::PredictResponse response;
    const grpc::Status status =
        server_.inference().Predict(&context, killer_->Piece(victim, position, position + 1), &response);
    if (!status.ok()) {
      ADD_FAILURE() << what << " cannot be stepped at " << position << ": " << status.error_message();
      continue;
    }
    EXPECT_EQ(ValuesOf(response.results(0)), series_.Outputs(victim.series, position, position + 1))
        << what << " goes on wrongly from " << position;
    DeleteSession(victim.session_id);
  }
  return alive;
}

void ClientKillTest::DeleteSession(const std::string& session_id) {
  grpc::ClientContext context;
  v1::DeleteSessionRequest request;
  v1::DeleteSessionResponse response;
  request.set_session_id(session_id);
  EXPECT_TRUE(server_.sessions().DeleteSession(&context, request, &response).ok()) << session_id;
}

size_t ClientKillTest::FillWithSessions() {
  v1::CreateSessionRequest request;
  request.set_model("lstm");
  std::vector<std::string> ids;
  while (true) {
    grpc::ClientContext context;
    v1::Session session;
    const grpc::Status status = server_.sessions().CreateSession(&context, request, &session);
    if (!status.ok()) {
      EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
      break;
    }
    ids.push_back(session.session_id());
  }
  bytes_when_full_ = StateBytes();
  for (const std::string& id : ids) DeleteSession(id);
  return ids.size();
}

double ClientKillTest::StateBytes() {
  server_.server().Maintain(absl::Now());
  return server_.Metric("rondo_session_state_bytes");
}

TEST_P(ClientKillTest, AThousandDeadClientsLeaveNothingBehind) {
  EXPECT_EQ(FillWithSessions(), kMaxSessions);
  const double bytes_of_all_sessions = bytes_when_full_;
  load_ = std::make_unique<HealthyLoad>(&server_, network_.get(), "lstm", kHealthyClients);
  killer_ = std::make_unique<ClientKiller>(&server_, &series_, load_.get());
  for (const int half : {0, 1}) {
    const int64_t messages_before = load_->messages();
    const std::vector<Victim> victims = Storm(half * kKillsPerHalf);
    EXPECT_GT(load_->messages(), messages_before);
    EXPECT_EQ(victims.size(), static_cast<size_t>(kKillsPerHalf));
    load_->Pause();
    server_.WaitUntilQuiet();
    ExpectAllStreamsAreFree();
    const double sessions = server_.Metric("rondo_sessions{model=\"lstm\"}");
    const size_t alive = ExpectSessionsAreIntact(victims);
    EXPECT_EQ(sessions, static_cast<double>(alive + load_->sessions()));
    EXPECT_EQ(FillWithSessions(), kMaxSessions - load_->sessions());
    EXPECT_EQ(bytes_when_full_, bytes_of_all_sessions);
    load_->Resume();
  }
  // The deaths came in time: many calls were ended before they had run.
  EXPECT_GE(server_.Metric("rondo_rejected_total{reason=\"cancelled\"}"), 100);
  load_.reset();
  server_.WaitUntilQuiet();
}

TEST_P(ClientKillTest, AClientThatFallsSilentIsLetGo) {
  load_ = std::make_unique<HealthyLoad>(&server_, network_.get(), "lstm", kHealthyClients);
  killer_ = std::make_unique<ClientKiller>(&server_, &series_, load_.get());
  DoomedClient client(server_.server().address(), Death::kClose);
  const Victim victim{Stage::kRunning, "silent", 0, {5}};
  const auto stream = client.OpenStream();
  client.Send(killer_->Piece(victim, 0, 5), stream.get());
  v1::PredictResponse response;
  EXPECT_TRUE(stream->Read(&response));
  client.FallSilent();
  ExpectAllStreamsAreFree();
  EXPECT_EQ(ExpectSessionsAreIntact({victim}), 1u);
  client.Die();
  EXPECT_FALSE(stream->Finish().ok());
}

std::string NameOf(const ::testing::TestParamInfo<size_t>& loops) {
  return absl::StrCat(loops.param, loops.param == 1 ? "Loop" : "Loops");
}

INSTANTIATE_TEST_SUITE_P(Serving, ClientKillTest, ::testing::Values(1, 2), NameOf);

}  // namespace
}  // namespace rondo
