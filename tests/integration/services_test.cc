// Models, health and reflection against a real server, over a real connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <thread>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
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
