#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "server/access/method_rules.h"
#include "tests/integration/test_certificates.h"
#include "tests/integration/test_server.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

// The tokens "predict", "sessions" and "admin" of tenant acme, each of the role that it is called, and "old", which has
// expired.
constexpr char kTokens[] =
    "8e9afe9d1df3927e713c246259f2e697abc1daeee11b8f7ed14ee4181f2f474f acme predict\n"
    "1225ae6c1ae69dcb4ee4781b703e12206f3b549cd3ca151070a8d8d8f371dd71 acme sessions\n"
    "8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918 acme admin\n"
    "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4 acme predict 2026-01-01\n";

// A call that has sent its headers.
class RawCall {
 public:
  RawCall(const std::shared_ptr<grpc::Channel>& channel, absl::string_view method, grpc::ClientContext* context)
      : stub_(channel), call_(stub_.PrepareCall(context, absl::StrCat("/", method), &queue_)) {
    call_->StartCall(nullptr);
    Await();
  }
  void WritesDone() {
    call_->WritesDone(nullptr);
    Await();
  }
  grpc::Status Finish() {
    grpc::Status status;
    call_->Finish(&status, nullptr);
    Await();
    return status;
  }

 private:
  void Await() {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue_.Next(&tag, &ok));
  }

  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  const std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

class GateCallsTest : public ::testing::Test {
 protected:
  GateCallsTest() { WriteTokens(kTokens); }

  void WriteTokens(const std::string& text) const { std::ofstream(file_, std::ios::trunc) << text; }
  void StartServer(const std::function<void(ServerOptions*)>& change = {}) {
    server_ = std::make_unique<TestServer>(
        std::vector<std::pair<std::string, ModelFile>>{{"lstm", MakeTestModel(Cell::kLstm, 2, 8)}},
        [&](ServerOptions* options) {
          options->access.gate.tokens_file = file_;
          if (change) change(options);
        });
  }

  // What a call of "SERVICE/METHOD" with an empty message ends with.
  grpc::Status Call(const std::string& method, const std::string& token) const {
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    grpc::CompletionQueue queue;
    grpc::GenericStub stub(server_->channel());
    const grpc::Slice empty;
    const std::unique_ptr<grpc::GenericClientAsyncResponseReader> call =
        stub.PrepareUnaryCall(&context, "/" + method, grpc::ByteBuffer(&empty, 1), &queue);
    grpc::ByteBuffer response;
    grpc::Status status;
    call->StartCall();
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  }
  // What a call of "SERVICE/METHOD" ends with that sends headers and nothing more, but that it has no message if
  // `writes_done`.
  grpc::Status CallWithoutMessage(absl::string_view method, const std::string& token, bool writes_done) const {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    RawCall call(server_->channel(), method, &context);
    if (writes_done) call.WritesDone();
    return call.Finish();
  }
  grpc::StatusCode Create(const std::string& token) const {
    return Call("rondo.v1.Sessions/CreateSession", token).error_code();
  }

  const TemporaryFolder folder_;
  const std::string file_ = folder_.Path("tokens");
  std::unique_ptr<TestServer> server_;
};

TEST_F(GateCallsTest, EveryMethodOfTheDescriptorsIsDeniedWithoutCredentialsButHealth) {
  StartServer();
  std::set<std::string> services;
  for (const MethodRule& rule : MethodRules()) {
    services.emplace(rule.method.substr(0, rule.method.find('/')));
  }
  int denied = 0;
  for (const std::string& name : services) {
    const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    ASSERT_NE(service, nullptr) << name;
    if (name == "grpc.health.v1.Health") continue;
    for (int i = 0; i < service->method_count(); ++i) {
      const std::string method = absl::StrCat(name, "/", service->method(i)->name());
      for (const char* token : {"", "wrong", "old"}) {
        EXPECT_EQ(Call(method, token).error_code(), grpc::StatusCode::UNAUTHENTICATED) << method << " " << token;
        ++denied;
      }
    }
  }
  EXPECT_GT(denied, 90);
  EXPECT_EQ(server_->Metric("rondo_rejected_total{reason=\"unauthenticated\"}"), denied);
  EXPECT_TRUE(Call("grpc.health.v1.Health/Check", "").ok());
  const auto health = grpc::health::v1::Health::NewStub(server_->channel());
  grpc::ClientContext context;
  const auto watch = health->Watch(&context, {});
  grpc::health::v1::HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  context.TryCancel();
}

TEST_F(GateCallsTest, ACallIsDeniedBeforeItsMessageHasCome) {
  StartServer();
  for (const MethodRule& rule : MethodRules()) {
    if (rule.role == Role::kAnyone) continue;
    const grpc::Status status = CallWithoutMessage(rule.method, "wrong", /*writes_done=*/false);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << rule.method;
  }
}

TEST_F(GateCallsTest, ACallThatEndsWithoutAMessageIsToldSo) {
  StartServer();
  for (const char* const method :
       {"rondo.v1.Inference/Predict", "rondo.v1.Inference/Generate", "rondo.v1.Models/ListModels",
        "inference.GRPCInferenceService/ModelInfer", "grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch"}) {
    const grpc::Status status = CallWithoutMessage(method, "admin", /*writes_done=*/true);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method;
    EXPECT_THAT(status.error_message(), HasSubstr("brought no message")) << method;
  }
}

TEST_F(GateCallsTest, ADrainDoesNotWaitForMessagesThatDoNotCome) {
  StartServer();
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer admin");
  RawCall call(server_->channel(), "rondo.v1.Inference/Predict", &context);
  ASSERT_TRUE(Call("rondo.v1.Models/ListModels", "admin").ok());  // on the same connection: the other call has come
  const absl::Time start = absl::Now();
  server_->server().Stop(absl::Seconds(60));
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GateCallsTest, EachRoleReachesTheMethodsItIsFor) {
  StartServer();
  EXPECT_TRUE(Call("rondo.v1.Models/ListModels", "predict").ok());
  EXPECT_EQ(Create("predict"), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Create("sessions"), grpc::StatusCode::NOT_FOUND);  // there is no model ""
  const std::string statistics = "inference.GRPCInferenceService/ModelStatistics";
  const grpc::Status denied = Call(statistics, "sessions");
  EXPECT_EQ(denied.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(denied.error_message(), HasSubstr("takes the role admin; these credentials have sessions"));
  EXPECT_TRUE(Call(statistics, "admin").ok());
  EXPECT_EQ(server_->Metric("rondo_rejected_total{reason=\"permission_denied\"}"), 2);
}

TEST_F(GateCallsTest, WhatIsTurnedOffIsForNobody) {
  StartServer([](ServerOptions* options) { options->access.gate.reflection = options->access.gate.admin = false; });
  EXPECT_EQ(Call("inference.GRPCInferenceService/ModelStatistics", "admin").error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Call("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "admin").error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(GateCallsTest, TokensChangeWhileTheServerRuns) {
  StartServer();
  EXPECT_TRUE(Call("rondo.v1.Models/ListModels", "predict").ok());
  // printf new | sha256sum
  WriteTokens("11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437 acme predict\n");
  server_->server().Maintain(absl::Now());
  EXPECT_TRUE(Call("rondo.v1.Models/ListModels", "new").ok());
  EXPECT_EQ(Call("rondo.v1.Models/ListModels", "predict").error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(GateCallsTest, StreamsThatAreDeniedTakeNoPlace) {
  StartServer([](ServerOptions* options) { options->requests.max_streams = 1; });
  for (int i = 0; i < 3; ++i) {
    grpc::ClientContext context;
    EXPECT_EQ(server_->inference().StreamPredict(&context)->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
  }
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer predict");
  const auto stream = server_->inference().StreamPredict(&context);
  v1::PredictRequest request;
  request.set_model("lstm");
  AddSequence(&request, "", {1, 2});
  v1::PredictResponse response;
  ASSERT_TRUE(stream->Write(request));
  EXPECT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.results(0).status().code(), 0);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GateCallsTest, OneConnectionHasSoManyStreamsAtOnce) {
  StartServer([](ServerOptions* options) { options->access.connections.max_calls = 2; });
  const auto open = [&](grpc::ClientContext* context) {
    context->AddMetadata("authorization", "Bearer predict");
    auto stream = server_->inference().StreamPredict(context);
    v1::PredictRequest request;
    request.set_model("lstm");
    AddSequence(&request, "", {1, 2});
    stream->Write(request);
    return stream;
  };
  v1::PredictResponse response;
  grpc::ClientContext contexts[3];
  const auto first = open(&contexts[0]), second = open(&contexts[1]);
  ASSERT_TRUE(first->Read(&response));
  ASSERT_TRUE(second->Read(&response));
  contexts[2].set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  EXPECT_EQ(open(&contexts[2])->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  contexts[0].TryCancel();
  grpc::ClientContext later;
  EXPECT_TRUE(open(&later)->Read(&response));
  later.TryCancel();
  contexts[1].TryCancel();
}

TEST_F(GateCallsTest, AnOldConnectionIsLeftForANewOne) {
  StartServer([](ServerOptions* options) { options->access.connections.max_age = absl::Seconds(1); });
  const double before = server_->Metric("rondo_connections_accepted_total");
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (server_->Metric("rondo_connections_accepted_total") < before + 3) {
    ASSERT_LT(absl::Now(), deadline);
    ASSERT_TRUE(Call("rondo.v1.Models/ListModels", "predict").ok());
  }
}

TEST_F(GateCallsTest, ACertificateIsItsTenantByName) {
  const CertificateAuthority authority;
  const Certificate own = authority.Issue("localhost");
  std::vector<std::string> files;
  const auto write = [&](const std::string& name, const std::string& text) {
    files.push_back(absl::StrCat(file_, ".", name));
    std::ofstream(files.back()) << text;
    return files.back();
  };
  WriteTokens("cert:meter.acme acme predict\n");
  StartServer([&](ServerOptions* options) {
    options->access.tls = {write("cert", own.cert), write("key", own.key), write("ca", authority.cert())};
  });
  const auto ask = [&](const std::string& name) {
    const Certificate client = authority.Issue(name);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetSslTargetNameOverride("localhost");
    const auto channel = grpc::CreateCustomChannel(
        server_->server().address(), grpc::SslCredentials({authority.cert(), client.key, client.cert}), arguments);
    grpc::ClientContext context;
    v1::ListModelsResponse response;
    return v1::Models::NewStub(channel)->ListModels(&context, {}, &response).error_code();
  };
  EXPECT_EQ(ask("meter.acme"), grpc::StatusCode::OK);
  EXPECT_EQ(ask("meter.globex"), grpc::StatusCode::UNAUTHENTICATED);
  for (const std::string& file : files) std::remove(file.c_str());
}

}  // namespace
}  // namespace rondo
