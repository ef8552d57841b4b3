// Forecast, sessions, models, health and reflection against a real server, over a real connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <thread>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "tests/integration/test_server.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ServicesTest : public ::testing::Test {
 protected:
  void RunSession(const std::string& id, const std::vector<float>& values) {
    v1::PredictRequest request;
    request.set_model("lstm");
    AddSequence(&request, id, values)->set_position(0);
    const grpc::Status status = server_.Predict(request, &predicted_);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  grpc::Status Forecast(const v1::ForecastRequest& request) {
    grpc::ClientContext context;
    forecast_.Clear();
    return server_.inference().Forecast(&context, request, &forecast_);
  }

  v1::ForecastRequest ForecastOf(const std::string& session_id, int horizon) {
    v1::ForecastRequest request;
    request.set_model("lstm");
    request.set_session_id(session_id);
    request.set_horizon(horizon);
    return request;
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
  v1::ForecastResponse forecast_;
};

TEST_F(ServicesTest, ForecastIsWhatFeedingTheOutputsBackByHandGives) {
  const std::vector<float> values = RandomValues(2 * 6, 1);
  RunSession("by-hand", values);
  std::vector<float> expected, row = ValuesOf(predicted_.results(0));
  row.erase(row.begin(), row.end() - 2);
  for (int k = 0; k < 5; ++k) {
    expected.insert(expected.end(), row.begin(), row.end());
    v1::PredictRequest request;
    request.set_model("lstm");
    AddSequence(&request, "by-hand", row);
    ASSERT_TRUE(server_.Predict(request, &predicted_).ok());
    row = ValuesOf(predicted_.results(0));
  }
  RunSession("s", values);
  ASSERT_TRUE(Forecast(ForecastOf("s", 5)).ok());
  EXPECT_EQ(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), expected);
  EXPECT_EQ(forecast_.position(), 6);

  v1::ForecastRequest from_history = ForecastOf("", 5);
  from_history.mutable_history()->Add(values.begin(), values.end());
  ASSERT_TRUE(Forecast(from_history).ok());
  EXPECT_EQ(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), expected);
}

TEST_F(ServicesTest, ForecastNeverMovesTheSession) {
  RunSession("s", RandomValues(4, 1));
  ASSERT_TRUE(Forecast(ForecastOf("s", 50)).ok());
  const std::vector<float> once(forecast_.values().begin(), forecast_.values().end());
  ASSERT_TRUE(Forecast(ForecastOf("s", 50)).ok());
  EXPECT_EQ(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), once);
  v1::Session session;
  ASSERT_TRUE(Get("s", &session).ok());
  EXPECT_EQ(session.position(), 2);
}

TEST_F(ServicesTest, AForecastOfOneStepIsTheLastPrediction) {
  RunSession("s", RandomValues(2, 1));
  ASSERT_TRUE(Forecast(ForecastOf("s", 1)).ok());
  EXPECT_EQ(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), ValuesOf(predicted_.results(0)));
}

TEST_F(ServicesTest, ForecastRefusesWhatItCannotKnow) {
  v1::Session session;
  v1::CreateSessionRequest create;
  create.set_model("lstm");
  create.set_session_id("new");
  ASSERT_TRUE(Create(create, &session).ok());
  grpc::Status status = Forecast(ForecastOf("new", 3));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("no timestep yet"));

  status = Forecast(ForecastOf("nobody", 3));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  for (const int horizon : {0, -1, 10'001}) {
    status = Forecast(ForecastOf("new", horizon));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << horizon;
  }

  v1::ForecastRequest partial;
  partial.set_model("partial");
  partial.set_horizon(3);
  partial.mutable_history()->Resize(4, 0.5f);
  status = Forecast(partial);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("lacks input 'b'"));
  partial.mutable_known_inputs()->Resize(4, 0.5f);
  partial.set_known_inputs(0, std::nanf(""));  // column a is fed back: whatever stands there is ignored
  EXPECT_TRUE(Forecast(partial).ok());
  partial.set_known_inputs(1, std::nanf(""));
  EXPECT_EQ(Forecast(partial).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  partial.mutable_known_inputs()->RemoveLast();
  EXPECT_EQ(Forecast(partial).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServicesTest, SampledPathsSpreadAsARandomWalkDoes) {
  v1::ForecastRequest request;
  request.set_model("walk");
  request.add_history(5);
  request.set_horizon(16);
  ASSERT_TRUE(Forecast(request).ok());  // one path, of means: it stays
  const float std = forecast_.values(1);
  for (int step = 0; step < 16; ++step) EXPECT_FLOAT_EQ(forecast_.values(2 * step), 5);

  request.set_num_paths(1000);
  request.set_seed(42);
  ASSERT_TRUE(Forecast(request).ok());
  ASSERT_THAT(forecast_.values(), SizeIs(16 * 3));
  const std::vector<float> quantiles(forecast_.values().begin(), forecast_.values().end());
  for (int step = 0; step < 16; ++step) {
    const float spread = 1.2816f * std * std::sqrt(static_cast<float>(step + 1));  // the 0.9 quantile of a normal
    EXPECT_NEAR(quantiles[static_cast<size_t>(3 * step)], 5 - spread, 0.25f * spread) << step;
    EXPECT_NEAR(quantiles[static_cast<size_t>(3 * step + 1)], 5, 0.2f * spread) << step;
    EXPECT_NEAR(quantiles[static_cast<size_t>(3 * step + 2)], 5 + spread, 0.25f * spread) << step;
  }
  ASSERT_TRUE(Forecast(request).ok());
  EXPECT_EQ(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), quantiles);
  request.set_seed(43);
  ASSERT_TRUE(Forecast(request).ok());
  EXPECT_NE(std::vector<float>(forecast_.values().begin(), forecast_.values().end()), quantiles);
}

TEST_F(ServicesTest, PathsAreRefusedWhereTheyMakeNoSense) {
  v1::ForecastRequest request;
  request.set_model("walk");
  request.add_history(5);
  request.set_horizon(4);
  for (const int paths : {-1, 1, 1001}) {
    request.set_num_paths(paths);
    EXPECT_EQ(Forecast(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << paths;
  }
  request.set_num_paths(10);
  for (const double quantile : {0.0, 1.0, -0.5, std::nan("")}) {
    request.clear_path_quantiles();
    request.add_path_quantiles(quantile);
    EXPECT_EQ(Forecast(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << quantile;
  }
  RunSession("linear", RandomValues(2, 1));
  v1::ForecastRequest linear = ForecastOf("linear", 3);
  linear.set_num_paths(10);
  const grpc::Status status = Forecast(linear);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("only a gaussian one"));
}

TEST_F(ServicesTest, PathsThatDoNotFitTheQueueAreRefusedTogether) {
  TestServer small({{"walk", RandomWalk()}}, [](ServerOptions* options) {
    options->loops.max_active_sequences = 4;
    options->loops.max_queued_sequences = 4;
  });
  v1::ForecastRequest request;
  request.set_model("walk");
  request.add_history(5);
  request.set_horizon(4);
  request.set_num_paths(9);
  grpc::ClientContext refused, fits;
  EXPECT_EQ(small.inference().Forecast(&refused, request, &forecast_).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  request.set_num_paths(8);
  EXPECT_TRUE(small.inference().Forecast(&fits, request, &forecast_).ok());
}

TEST_F(ServicesTest, SessionsAreCreatedGotListedAndDeleted) {
  v1::CreateSessionRequest create;
  create.set_model("lstm");
  v1::Session made, named, got;
  ASSERT_TRUE(Create(create, &made).ok());
  EXPECT_THAT(made.session_id(), SizeIs(32));
  create.set_session_id("mine");
  create.set_idle_timeout_seconds(5);
  ASSERT_TRUE(Create(create, &named).ok());
  EXPECT_EQ(Create(create, &named).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  ASSERT_TRUE(Get("mine", &got).ok());
  EXPECT_EQ(got.model(), "lstm");
  EXPECT_EQ(got.version(), 1);
  EXPECT_EQ(got.idle_timeout_seconds(), 5);

  v1::ListSessionsRequest list;
  v1::ListSessionsResponse page;
  std::vector<std::string> ids;
  list.set_page_size(1);
  do {
    grpc::ClientContext context;
    ASSERT_TRUE(server_.sessions().ListSessions(&context, list, &page).ok());
    for (const v1::Session& session : page.sessions()) ids.push_back(session.session_id());
    list.set_page_token(page.next_page_token());
  } while (!page.next_page_token().empty());
  EXPECT_THAT(ids, UnorderedElementsAre("mine", made.session_id()));

  v1::DeleteSessionRequest remove;
  v1::DeleteSessionResponse removed;
  remove.set_session_id("mine");
  {
    grpc::ClientContext context;
    EXPECT_TRUE(server_.sessions().DeleteSession(&context, remove, &removed).ok());
  }
  grpc::ClientContext context;
  const grpc::Status again = server_.sessions().DeleteSession(&context, remove, &removed);
  EXPECT_EQ(again.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(again.error_message(), HasSubstr("by its owner"));
}

TEST_F(ServicesTest, BadSessionRequestsAreRefused) {
  v1::Session session;
  v1::CreateSessionRequest create;
  create.set_model("none");
  EXPECT_EQ(Create(create, &session).error_code(), grpc::StatusCode::NOT_FOUND);
  create.set_model("lstm");
  for (const double timeout : {-1.0, std::nan(""), 1e300}) {
    create.set_idle_timeout_seconds(timeout);
    EXPECT_EQ(Create(create, &session).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << timeout;
  }
  create.clear_idle_timeout_seconds();
  create.set_session_id("\x01");
  EXPECT_EQ(Create(create, &session).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::ListSessionsRequest list;
  v1::ListSessionsResponse page;
  list.set_page_size(1001);
  {
    grpc::ClientContext context;
    EXPECT_EQ(server_.sessions().ListSessions(&context, list, &page).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  list.set_page_size(1);
  list.set_page_token("not ours");
  grpc::ClientContext context;
  EXPECT_EQ(server_.sessions().ListSessions(&context, list, &page).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServicesTest, SessionsPastTheCapAreRefused) {
  TestServer small({{"lstm", MakeTestModel(Cell::kLstm, 2, 8)}},
                   [](ServerOptions* options) { options->sessions.max_sessions = 1; });
  v1::PredictRequest request;
  v1::PredictResponse response;
  request.set_model("lstm");
  AddSequence(&request, "one", RandomValues(2, 1))->set_position(0);
  AddSequence(&request, "two", RandomValues(2, 1))->set_position(0);
  ASSERT_TRUE(small.Predict(request, &response).ok());
  EXPECT_FALSE(response.results(0).has_status());
  EXPECT_EQ(response.results(1).status().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(small.Metric("rondo_rejected_total{reason=\"sessions_full\"}"), 1);
}

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
  EXPECT_THAT(model.kernel(), HasSubstr("onednn"));
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

TEST_F(ServicesTest, IdleSessionsEndAndSayWhy) {
  RunSession("s", RandomValues(2, 1));
  server_.server().Maintain(absl::Now() + absl::Hours(1));
  v1::Session session;
  const grpc::Status status = Get("s", &session);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("idle"));
  EXPECT_EQ(server_.Metric("rondo_session_events_total{model=\"lstm\",event=\"expired\"}"), 1);
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
