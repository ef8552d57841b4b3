// Models, health and reflection against a real server, over a real connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "inference/open_inference.grpc.pb.h"
#include "tests/integration/services_fixture.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class ServicesTest : public ServicesFixture {};

TEST_F(ServicesTest, ModelsSayWhatTheyTake) {
  v1::ListModelsResponse list;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(server_.models().ListModels(&context, {}, &list).ok());
  }
  ASSERT_THAT(list.models(), SizeIs(3));
  const v1::Model& model = list.models(0);
  EXPECT_EQ(model.name(), "lstm");
  EXPECT_EQ(model.input_size(), 2);
  EXPECT_EQ(model.output_size(), 2);
  EXPECT_THAT(model.inputs(), ::testing::ElementsAre("a", "b"));
  EXPECT_THAT(model.feedback(), SizeIs(2));
  EXPECT_THAT(model.kernel(), testing::AnyOf(HasSubstr("rondo/"), HasSubstr("onednn/")));
  v1::GetModelRequest get;
  v1::Model got;
  get.set_name("none");
  grpc::ClientContext context;
  EXPECT_EQ(server_.models().GetModel(&context, get, &got).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServicesTest, ABadModelFileLeavesWhatWasServed) {
  const std::string folder = server_.model_repository() + "/lstm/1";
  ASSERT_EQ(truncate((folder + "/model.safetensors").c_str(), 100), 0);
  server_.server().ReloadModels();
  v1::PredictRequest request;
  request.set_model("lstm");
  AddSequence(&request, "", RandomValues(2, 1));
  EXPECT_TRUE(server_.Predict(request, &predicted_).ok());
}

TEST_F(ServicesTest, AModelThatDoesNotLoadIsListedWithItsReason) {
  const std::string folder = server_.model_repository() + "/broken/3";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/model.safetensors") << "nonsense";
  ASSERT_EQ(truncate((server_.model_repository() + "/lstm/1/model.safetensors").c_str(), 100), 0);
  server_.server().ReloadModels();

  v1::ListModelsResponse list;
  grpc::ClientContext list_context;
  ASSERT_TRUE(server_.models().ListModels(&list_context, {}, &list).ok());
  ASSERT_THAT(list.models(), SizeIs(4));
  EXPECT_EQ(list.models(0).name(), "broken");
  EXPECT_EQ(list.models(0).version(), 3);
  EXPECT_EQ(list.models(0).state(), "unavailable");
  EXPECT_THAT(list.models(0).reason(), HasSubstr("model \"broken\" version 3: "));
  EXPECT_EQ(list.models(1).name(), "lstm");
  EXPECT_EQ(list.models(1).state(), "ready") << "the file before is served";
  EXPECT_THAT(list.models(1).reason(), HasSubstr("model \"lstm\" version 1: "));
  EXPECT_EQ(list.models(2).reason(), "");

  const auto triton = inference::GRPCInferenceService::NewStub(server_.channel());
  inference::RepositoryIndexRequest ask;
  inference::RepositoryIndexResponse index;
  grpc::ClientContext index_context;
  ASSERT_TRUE(triton->RepositoryIndex(&index_context, ask, &index).ok());
  ASSERT_THAT(index.models(), SizeIs(4));
  EXPECT_EQ(index.models(0).state(), "UNAVAILABLE");
  EXPECT_EQ(index.models(0).reason(), list.models(0).reason());
  EXPECT_EQ(index.models(1).state(), "READY");
  ask.set_ready(true);
  grpc::ClientContext ready_context;
  ASSERT_TRUE(triton->RepositoryIndex(&ready_context, ask, &index).ok());
  EXPECT_THAT(index.models(), SizeIs(3));

  v1::PredictRequest request;
  request.set_model("broken");
  AddSequence(&request, "", RandomValues(2, 1));
  const grpc::Status refused = server_.Predict(request, &predicted_);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(refused.error_message(), list.models(0).reason());
}

TEST_F(ServicesTest, ANewVersionServesNewSessionsAndOldOnesKeepTheirs) {
  RunSession("old", RandomValues(2, 1));
  const std::string folder = server_.model_repository() + "/lstm/2";
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(WriteModelFile(MakeTestModel(Cell::kLstm, 2, 8, 7), folder + "/model.safetensors").ok());
  server_.server().ReloadModels();
  RunSession("new", RandomValues(2, 1));
  v1::Session session;
  ASSERT_TRUE(Get("new", &session).ok());
  EXPECT_EQ(session.version(), 2);
  v1::PredictRequest request;
  request.set_model("lstm");
  AddSequence(&request, "old", RandomValues(2, 2));
  EXPECT_TRUE(server_.Predict(request, &predicted_).ok());
  request.set_version(2);
  const grpc::Status status = server_.Predict(request, &predicted_);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("version 1"));
}

TEST_F(ServicesTest, HealthIsServingUntilTheServerDrains) {
  const auto health = grpc::health::v1::Health::NewStub(server_.channel());
  grpc::health::v1::HealthCheckRequest request;
  grpc::health::v1::HealthCheckResponse response;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(health->Check(&context, request, &response).ok());
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  }
  {
    grpc::ClientContext context;
    request.set_service("none");
    EXPECT_EQ(health->Check(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
  }
  for (const char* model : {"model/lstm", "model/lstm/1"}) {
    grpc::ClientContext context;
    request.set_service(model);
    ASSERT_TRUE(health->Check(&context, request, &response).ok()) << model;
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING) << model;
  }
  for (const char* model : {"model/none", "model/lstm/2", "model/lstm/", "model/lstm/x", "model/"}) {
    grpc::ClientContext context;
    request.set_service(model);
    EXPECT_EQ(health->Check(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND) << model;
  }
  request.set_service("rondo.v1.Inference");
  grpc::ClientContext context;
  const auto watch = health->Watch(&context, request);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  std::thread stopper([&] { server_.server().Stop(absl::Seconds(20)); });
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
  stopper.join();
}

TEST_F(ServicesTest, AServerThatIsAboutToLeaveServesOnButIsNotReady) {
  const auto health = grpc::health::v1::Health::NewStub(server_.channel());
  grpc::health::v1::HealthCheckResponse response;
  grpc::ClientContext watch_context, check_context, ready_context;
  const auto watch = health->Watch(&watch_context, {});
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  server_.server().SayLeaving();
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  ASSERT_TRUE(health->Check(&check_context, {}, &response).ok());
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  inference::ServerReadyResponse ready;
  const auto triton = inference::GRPCInferenceService::NewStub(server_.channel());
  ASSERT_TRUE(triton->ServerReady(&ready_context, {}, &ready).ok());
  EXPECT_FALSE(ready.ready());
  RunSession("new", RandomValues(2, 1));
  watch_context.TryCancel();
}

class EmptyServerTest : public ::testing::Test {
 protected:
  using Status = grpc::health::v1::HealthCheckResponse;

  static Status::ServingStatus HealthOf(const TestServer& server, const std::string& service) {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    Status response;
    const auto health = grpc::health::v1::Health::NewStub(server.channel());
    const grpc::Status status = health->Check(&context, request, &response);
    EXPECT_TRUE(status.ok()) << service << ": " << status.error_message();
    return response.status();
  }
  static bool IsReady(const TestServer& server) {
    grpc::ClientContext ready_context, live_context;
    inference::ServerReadyResponse ready;
    inference::ServerLiveResponse live;
    const auto triton = inference::GRPCInferenceService::NewStub(server.channel());
    EXPECT_TRUE(triton->ServerReady(&ready_context, {}, &ready).ok());
    EXPECT_TRUE(triton->ServerLive(&live_context, {}, &live).ok());
    EXPECT_TRUE(live.live());
    return ready.ready();
  }
};

TEST_F(EmptyServerTest, IsNotReadyUntilABrokenModelIsRepaired) {
  TestServer server({});
  EXPECT_EQ(HealthOf(server, ""), Status::NOT_SERVING);
  const std::string folder = server.model_repository() + "/lstm/1";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/model.safetensors") << "nonsense";
  server.server().ReloadModels();
  for (const char* service : {"", "rondo.v1.Inference", "rondo.v1.Sessions", "inference.GRPCInferenceService",
                              "model/lstm", "model/lstm/1"}) {
    EXPECT_EQ(HealthOf(server, service), Status::NOT_SERVING) << service;
  }
  for (const char* service : {"rondo.v1.Models", "grpc.health.v1.Health"}) {
    EXPECT_EQ(HealthOf(server, service), Status::SERVING) << service;
  }
  EXPECT_FALSE(IsReady(server));

  const auto health = grpc::health::v1::Health::NewStub(server.channel());
  grpc::ClientContext server_context, model_context;
  grpc::health::v1::HealthCheckRequest request;
  const auto server_watch = health->Watch(&server_context, request);
  request.set_service("model/lstm");
  const auto model_watch = health->Watch(&model_context, request);
  Status response;
  for (const auto& watch : {server_watch.get(), model_watch.get()}) {
    ASSERT_TRUE(watch->Read(&response));
    EXPECT_EQ(response.status(), Status::NOT_SERVING);
  }
  const std::string repaired = folder + "/.next";
  ASSERT_TRUE(WriteModelFile(MakeTestModel(Cell::kLstm, 2, 8), repaired).ok());
  std::filesystem::rename(repaired, folder + "/model.safetensors");
  server.server().ReloadModels();
  for (const auto& watch : {server_watch.get(), model_watch.get()}) {
    ASSERT_TRUE(watch->Read(&response));
    EXPECT_EQ(response.status(), Status::SERVING);
  }
  EXPECT_EQ(HealthOf(server, "model/lstm/1"), Status::SERVING);
  EXPECT_TRUE(IsReady(server));
  server_context.TryCancel();
  model_context.TryCancel();
}

TEST_F(EmptyServerTest, IsReadyIfItMayBeEmpty) {
  const TestServer server({}, [](ServerOptions* options) { options->registry.allow_empty = true; });
  EXPECT_EQ(HealthOf(server, ""), Status::SERVING);
  EXPECT_TRUE(IsReady(server));
}

TEST_F(ServicesTest, ReflectionListsAndDescribesTheServices) {
  const auto stub = grpc::reflection::v1alpha::ServerReflection::NewStub(server_.channel());
  grpc::ClientContext context;
  const auto stream = stub->ServerReflectionInfo(&context);
  grpc::reflection::v1alpha::ServerReflectionRequest request;
  grpc::reflection::v1alpha::ServerReflectionResponse response;
  request.set_list_services("");
  ASSERT_TRUE(stream->Write(request) && stream->Read(&response));
  std::set<std::string> names;
  for (const auto& service : response.list_services_response().service()) names.insert(service.name());
  EXPECT_THAT(names, ::testing::IsSupersetOf(
                         {"rondo.v1.Inference", "rondo.v1.Sessions", "rondo.v1.Models", "grpc.health.v1.Health"}));
  request.set_file_containing_symbol("rondo.v1.Inference.Predict");
  ASSERT_TRUE(stream->Write(request) && stream->Read(&response));
  EXPECT_GE(response.file_descriptor_response().file_descriptor_proto_size(), 1);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace rondo
