// The vectors of catch_up.json, which the Python client's tests read too.
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "client/client.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "rondo/v1/inference.grpc.pb.h"
#include "rondo/v1/sessions.grpc.pb.h"
#include "tests/unit/client/client_vectors.h"

namespace rondo {
namespace {

using nlohmann::json;

// Answers what it is told to, and writes down what it was sent. It knows no session before the first step.
class ScriptedServer final : public v1::Inference::Service, public v1::Sessions::Service {
 public:
  ScriptedServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(static_cast<v1::Inference::Service*>(this));
    builder.RegisterService(static_cast<v1::Sessions::Service*>(this));
    server_ = builder.BuildAndStart();
  }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  void Script(const json& answers) {
    MutexLock lock(&mutex_);
    answers_.assign(answers.begin(), answers.end());
    sends_ = json::array();
  }
  json sends() const {
    MutexLock lock(&mutex_);
    return sends_;
  }

  grpc::Status GetSession(grpc::ServerContext*, const v1::GetSessionRequest*, v1::Session*) override {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "never existed");
  }

  grpc::Status Predict(grpc::ServerContext* context, const v1::PredictRequest* request,
                       v1::PredictResponse* response) override {
    const v1::Sequence& sequence = request->sequences(0);
    for (int i = 0; i < sequence.values_size(); ++i) {
      EXPECT_EQ(sequence.values(i), static_cast<float>(sequence.position() + i));
    }
    for (int i = 0; i < sequence.times_size(); ++i) {
      EXPECT_EQ(sequence.times(i), 10 * (sequence.position() + i));
    }
    const json answer = TakeAnswer({sequence.position(), sequence.values_size()});
    if (answer.contains("code")) return Refusal(answer, context);
    v1::SequenceResult* result = response->add_results();
    result->set_next_position(sequence.position() + sequence.values_size());
    for (int i = 0; i < (request->last_only() ? 1 : sequence.values_size()); ++i) result->add_values(0);
    if (answer.contains("durable")) result->set_durable_position(answer["durable"]);
    return grpc::Status::OK;
  }

  grpc::Status Forecast(grpc::ServerContext* context, const v1::ForecastRequest*,
                        v1::ForecastResponse* response) override {
    const json answer = TakeAnswer("forecast");
    if (answer.contains("code")) return Refusal(answer, context);
    response->set_position(answer["position"]);
    response->add_values(0);
    return grpc::Status::OK;
  }

 private:
  json TakeAnswer(json sent) {
    MutexLock lock(&mutex_);
    sends_.push_back(std::move(sent));
    if (answers_.empty()) return json::object();
    json answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }

  static grpc::Status Refusal(const json& answer, grpc::ServerContext* context) {
    if (answer.contains("next_position")) {
      context->AddTrailingMetadata("rondo-next-position", absl::StrCat(answer["next_position"].get<int64_t>()));
    }
    return grpc::Status(static_cast<grpc::StatusCode>(StatusCodeNamed(answer["code"])), "refused");
  }

  mutable Mutex mutex_;
  std::deque<json> answers_ ABSL_GUARDED_BY(mutex_);
  json sends_ ABSL_GUARDED_BY(mutex_);
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

absl::StatusCode RunTimesteps(int64_t timesteps, bool has_times, Session* session) {
  std::vector<float> values;
  std::vector<int64_t> times;
  for (int64_t position = session->position(); timesteps > 0; ++position, --timesteps) {
    values.push_back(static_cast<float>(position));
    if (has_times) times.push_back(10 * position);
  }
  return session->Run(values, times).status().code();
}

TEST(CatchUpTest, EverySessionSendsWhatTheVectorsSay) {
  ScriptedServer server;
  for (const json& golden : ReadClientVectors("catch_up.json")) {
    SCOPED_TRACE(golden["name"].get<std::string>());
    ClientOptions options;
    options.max_unsaved_bytes = golden.value("max_unsaved_bytes", options.max_unsaved_bytes);
    Session session = Client::Connect(server.address(), options)->OpenSession("sum", "a").value();
    server.Script(golden["answered"]);
    for (const json& answered : golden["answered"]) {
      EXPECT_EQ(RunTimesteps(answered["timesteps"], answered.value("times", false), &session), absl::StatusCode::kOk);
    }
    server.Script(golden["answers"]);
    const absl::StatusCode code = golden["call"] == "forecast"
                                      ? session.Forecast(2).status().code()
                                      : RunTimesteps(golden["call"], golden.value("times", false), &session);
    EXPECT_EQ(code, StatusCodeNamed(golden["code"]));
    EXPECT_EQ(server.sends(), golden["sends"]);
    EXPECT_EQ(session.position(), golden["position"].get<int64_t>());
  }
}

}  // namespace
}  // namespace rondo
