#include <fstream>

#include "absl/strings/str_cat.h"
#include "base/steady_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/tenant_client.h"
#include "tests/integration/test_server.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TenantsTest : public ::testing::Test {
 protected:
  TenantsTest() {
    // printf TOKEN | sha256sum
    std::ofstream(file_) << "822b33ad87c148a0a20a5ba7cd5ebcaa68d36a18e7aad165554903f52ca82757 acme "
                            "admin\n5bc1a08d28e40fe79ca3ecb077b3bd14ff00df9bad0c4a0d74ecd0805ecf0b1f globex "
                            "admin\n6382b3cc881412b77bfcaeed026001c00d9e3025e66c20f6e7e92f079851462a - admin\n";
    StartServer();
  }

  void StartServer() {
    server_.reset();
    server_ = std::make_unique<TestServer>(
        std::vector<std::pair<std::string, ModelFile>>{{"lstm", MakeTestModel(Cell::kLstm, 2, 8)}},
        [this](ServerOptions* options) {
          options->access.gate.tokens_file = file_;
          options->store.name = absl::StrCat("rocksdb:", folder_.path(), "/store");
        });
  }
  TenantClient Client(const std::string& tenant) { return TenantClient(server_.get(), tenant); }

  const TemporaryFolder folder_;
  const std::string file_ = folder_.Path("tokens");
  std::unique_ptr<TestServer> server_;
};

TEST_F(TenantsTest, ATenantDeletesItsOwnSessionsTogetherAndNoOthers) {
  v1::PredictResponse unused;
  for (const char* const tenant : {"acme", "globex", "nobody"}) {
    for (const char* const id : {"a", "b"}) EXPECT_EQ(Client(tenant).Predict(id, {1, 2}, 0, &unused), "0 ");
  }
  v1::DeleteSessionsRequest request;
  v1::DeleteSessionsResponse response;
  request.set_all(true);
  EXPECT_EQ(Client("acme").End(
                [&](auto* context) { return server_->sessions().DeleteSessions(context, request, &response); }),
            "0 ");
  EXPECT_EQ(response.deleted(), 2);
  EXPECT_THAT(Client("acme").List(), IsEmpty());
  for (const char* const tenant : {"globex", "nobody"}) EXPECT_THAT(Client(tenant).List(), ElementsAre("a", "b"));
}

TEST_F(TenantsTest, ATenantHasSoManyConnectionsAndItsClassIsCounted) {
  std::ofstream(file_, std::ios::app) << "limit acme connections=1 session_lifetime=1h class=gold\n";
  StartServer();
  v1::PredictResponse unused;
  EXPECT_EQ(Client("acme").Predict("s", {1, 2}, 0, &unused), "0 ");
  const auto second = server_->NewChannel();
  const auto sessions = v1::Sessions::NewStub(second);
  const auto list = [&](const std::string& tenant) {
    v1::ListSessionsResponse response;
    return Client(tenant).End([&](auto* context) { return sessions->ListSessions(context, {}, &response); });
  };
  EXPECT_THAT(list("acme"), HasSubstr("8 the tenant has 1 connections, the most it may"));
  EXPECT_EQ(list("globex"), "0 ");
  server_->server().Maintain(SteadyNow());
  EXPECT_EQ(server_->Metric("rondo_tenant_sessions{class=\"gold\"}"), 1);
  EXPECT_EQ(server_->Metric("rondo_tenant_connections{class=\"gold\"}"), 1);
  EXPECT_EQ(server_->Metric("rondo_tenant_refused_total{class=\"gold\",limit=\"connections\"}"), 1);
  EXPECT_EQ(server_->Metric("rondo_tenant_steps_total{class=\"gold\"}"), 1);
  server_->server().Maintain(SteadyNow() + absl::Hours(1));
  EXPECT_THAT(Client("acme").List(), IsEmpty());
}

TEST_F(TenantsTest, AnotherTenantsSessionIsAnsweredAsOneThatNeverWas) {
  for (const auto& [owner, stranger] :
       std::vector<std::pair<std::string, std::string>>{{"acme", "globex"}, {"acme", "nobody"}, {"nobody", "globex"}}) {
    const std::string id = absl::StrCat("of-", owner, "-not-", stranger);
    const std::vector<Ending> missing = Client(stranger).AskAll(id);
    v1::PredictResponse response;
    EXPECT_EQ(Client(owner).Predict(id, {1, 2}, 0, &response), "0 ");
    EXPECT_EQ(Client(stranger).AskAll(id), missing);
    v1::Session session;
    EXPECT_EQ(Client(owner).Get(id, &session), "0 ");
    EXPECT_EQ(session.session_id(), id);
    EXPECT_EQ(session.position(), 1);
  }
}

TEST_F(TenantsTest, NoIdReachesAnotherTenantsSession) {
  EXPECT_EQ(Client("acme").Create("s"), "0 ");
  for (const char* tenant : {"globex", "nobody"}) {
    for (const char* id : {"acme s", " acme s", "acme  s", "acme/s", "acme:s", "acme\x1fs", "acme\ts"}) {
      for (const Ending& ending : Client(tenant).AskAll(id)) {
        // A stream ends well; its reply has the refusal.
        EXPECT_TRUE(!StartsWithOk(ending) || ending.find("status {") != std::string::npos) << ending;
      }
      const bool is_no_id = std::string(id).find(' ') != std::string::npos;
      EXPECT_TRUE(!is_no_id || !StartsWithOk(Client(tenant).Infer(id, true)));
    }
  }
  v1::Session session;
  EXPECT_EQ(Client("acme").Get("s", &session), "0 ");
  EXPECT_EQ(session.position(), 0);
}

TEST_F(TenantsTest, OneIdIsASessionForEachTenant) {
  v1::PredictResponse response;
  const std::vector<std::string> tenants = {"acme", "globex", "nobody"};
  for (size_t i = 0; i < tenants.size(); ++i) {
    const std::vector<float> values(2 * (i + 1), 1);
    EXPECT_EQ(Client(tenants[i]).Predict("s", values, 0, &response), "0 ");
    EXPECT_EQ(Client(tenants[i]).Infer("t", true), "0 ");
  }
  EXPECT_EQ(Client("globex").Delete("t"), "0 ");
  EXPECT_THAT(Client("acme").List(), ElementsAre("s", "t"));
  EXPECT_THAT(Client("globex").List(), ElementsAre("s"));
  EXPECT_THAT(Client("nobody").List(), ElementsAre("s", "t"));
  StartServer();  // from the store
  for (size_t i = 0; i < tenants.size(); ++i) {
    v1::Session session;
    EXPECT_EQ(Client(tenants[i]).Get("s", &session), "0 ");
    EXPECT_EQ(session.position(), static_cast<int64_t>(i) + 1) << tenants[i];
  }
}

TEST_F(TenantsTest, ForksAndImportsStayWithWhoMakesThem) {
  v1::PredictResponse response;
  EXPECT_EQ(Client("acme").Predict("s", {1, 2}, 0, &response), "0 ");
  EXPECT_EQ(Client("acme").Fork("s", "fork"), "0 ");
  EXPECT_EQ(Client("acme").Fork("s", ""), "0 ");
  EXPECT_EQ(Client("acme").Create(""), "0 ");
  EXPECT_EQ(Client("acme").List().size(), 4u);
  std::string state;
  EXPECT_EQ(Client("acme").Export("s", &state), "0 ");
  EXPECT_EQ(state.find("acme"), std::string::npos);
  EXPECT_THAT(Client("globex").List(), IsEmpty());
  EXPECT_EQ(Client("globex").Import("", state), "0 ");  // whoever has the state has the session
  EXPECT_EQ(Client("globex").Import("other", state), "0 ");
  EXPECT_THAT(Client("globex").List(), ElementsAre("other", "s"));
  EXPECT_THAT(Client("nobody").List(), IsEmpty());
  EXPECT_EQ(Client("acme").Delete("s"), "0 ");
  EXPECT_THAT(Client("globex").List(), ElementsAre("other", "s"));
}

TEST_F(TenantsTest, WhoDeletesAndMovesSessionsIsInTheLog) {
  EXPECT_EQ(Client("acme").Create("s"), "0 ");
  testing::internal::CaptureStderr();
  EXPECT_EQ(Client("acme").Fork("s", "copy"), "0 ");
  std::string state;
  EXPECT_EQ(Client("acme").Export("s", &state), "0 ");
  EXPECT_EQ(Client("globex").Import("other", state), "0 ");
  v1::Session session;
  EXPECT_EQ(Client("acme").Get("s", &session), "0 ");
  EXPECT_EQ(Client("acme").Delete("s"), "0 ");
  EXPECT_FALSE(StartsWithOk(Client("globex").Delete("s")));
  server_.reset();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("event=session_forked session=copy from=s tenant=acme peer="));
  EXPECT_THAT(log, HasSubstr("event=session_exported session=s from=\"\" tenant=acme peer="));
  EXPECT_THAT(log, HasSubstr("event=session_imported session=other from=\"\" tenant=globex peer="));
  EXPECT_THAT(log, HasSubstr("event=session_deleted session=s from=\"\" tenant=acme peer="));
  EXPECT_EQ(log.find("session_deleted", log.find("session_deleted") + 1), std::string::npos) << log;
}

TEST_F(TenantsTest, OneTenantsQuotaIsNobodyElses) {
  std::ofstream(file_, std::ios::app) << "limit acme streams=1 sessions=2 steps_per_second=100\n";
  server_->server().Maintain(absl::Now());
  const TenantClient acme = Client("acme"), globex = Client("globex");
  for (const char* id : {"a", "b"}) EXPECT_EQ(acme.Create(id), "0 ");
  const Ending full = "8 the tenant has 2 live sessions, the most it may grpc-retry-pushback-ms";
  EXPECT_EQ(acme.Create("c"), full);
  EXPECT_EQ(acme.Infer("c", true), full);
  for (const char* id : {"a", "b", "c"}) EXPECT_EQ(globex.Create(id), "0 ");
  EXPECT_EQ(acme.Delete("a"), "0 ");
  EXPECT_EQ(acme.Create("c"), "0 ");

  v1::PredictResponse response;
  const std::vector<float> long_series(2 * 1000, 1);
  EXPECT_EQ(acme.Predict("", long_series, std::nullopt, &response), "0 ");  // ten seconds' worth is owed now
  EXPECT_EQ(acme.Predict("", {1, 2}, std::nullopt, &response),
            "8 the tenant's requests take more steps a second than it may grpc-retry-pushback-ms");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(globex.Predict("", long_series, std::nullopt, &response), "0 ");

  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer acme");
  const auto stream = server_->inference().StreamPredict(&context);
  v1::PredictRequest request;
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(acme.Stream("s").substr(0, 48), "8 the tenant has 1 open streams, the most it may");
  EXPECT_EQ(globex.Stream("s").substr(0, 2), "0 ");
  context.TryCancel();
  EXPECT_EQ(server_->Metric("rondo_rejected_total{reason=\"tenant_quota\"}"), 4);
}

TEST_F(TenantsTest, BytesOfSessionsThatAreMovedCountAsThoseOfSteps) {
  std::ofstream(file_, std::ios::app) << "limit acme bytes_per_second=0.001\n";
  server_->server().Maintain(absl::Now());
  const TenantClient acme = Client("acme"), globex = Client("globex");
  EXPECT_EQ(globex.Create("s"), "0 ");
  std::string state;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(globex.Export("s", &state), "0 ");
  EXPECT_EQ(acme.Import("s", state), "0 ");
  const Ending refused = "8 the tenant's requests take more bytes a second than it may grpc-retry-pushback-ms";
  EXPECT_EQ(acme.Import("t", state), refused);
  EXPECT_EQ(acme.Export("s", &state), refused);
  EXPECT_EQ(acme.Fork("s", "u"), refused);
  EXPECT_EQ(acme.Delete("s"), refused);
  v1::PredictResponse response;
  EXPECT_EQ(acme.Predict("", {1, 2}, std::nullopt, &response), refused);
  EXPECT_EQ(globex.Export("s", &state), "0 ");
}

TEST_F(TenantsTest, AStreamAboveItsTenantsQuotaIsReadSlowly) {
  std::ofstream(file_, std::ios::app) << "limit acme steps_per_second=0.001\n";
  server_->server().Maintain(absl::Now());
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer acme");
  const auto stream = server_->inference().StreamPredict(&context);
  v1::PredictRequest request;
  request.set_model("lstm");
  AddSequence(&request, "", {1, 2});
  v1::PredictResponse response;
  const absl::Time start = SteadyNow();
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.status().code(), i == 0 ? 0 : 8) << i;
  }
  // The second is refused, and each after it is read later.
  EXPECT_GE(SteadyNow() - start, 4 * absl::Milliseconds(90));
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(TenantsTest, AHundredThousandGuessesAreAnsweredAlike) {
  constexpr int kMessages = 25;
  constexpr int kGuesses = 4000;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Client("acme").Create(absl::StrCat("guess-", i * 997)), "0 ");
  server_.reset();  // the store would be asked for each guess
  server_ = std::make_unique<TestServer>(
      std::vector<std::pair<std::string, ModelFile>>{{"lstm", MakeTestModel(Cell::kLstm, 2, 8)}},
      [this](ServerOptions* options) { options->access.gate.tokens_file = file_; });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Client("acme").Create(absl::StrCat("guess-", i * 997)), "0 ");
  for (int m = 0; m < kMessages; ++m) {
    v1::PredictRequest request;
    request.set_model("lstm");
    for (int i = 0; i < kGuesses; ++i) AddSequence(&request, absl::StrCat("guess-", m * kGuesses + i), {1, 2});
    v1::PredictResponse response;
    EXPECT_EQ(
        Client("globex").End([&](auto* context) { return server_->inference().Predict(context, request, &response); }),
        "0 ");
    ASSERT_EQ(response.results_size(), kGuesses);
    v1::SequenceResult wanted;
    for (int i = 0; i < kGuesses; ++i) {
      if (i == 0) wanted = response.results(1);  // no session of anybody's
      wanted.mutable_status()->set_message(absl::StrCat("no session '", request.sequences(i).session_id(), "'"));
      ASSERT_EQ(response.results(i).SerializeAsString(), wanted.SerializeAsString());
    }
  }
}

}  // namespace
}  // namespace rondo
