// Networks that are graphs, served: steps, sessions, their records, and whole sequences.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "server/store/session_record.h"
#include "tests/integration/test_server.h"
#include "tests/unit/network/graph_model.h"

namespace rondo {
namespace {

using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

// A voice detector in small: a frame of 8 numbers, a convolution inside it, a window over steps, cells, a probability.
ModelFile Detector() {
  return GraphModel(GraphText(R"({"size":8})",
                              R"({"name":"frame","type":"reshape","of":"input","channels":1,"length":8},
         {"name":"conv","type":"conv1d","of":"frame","channels":4,"kernel":3,"stride":2,"activation":"relu"},
         {"name":"past","type":"causal_conv1d","of":"conv","units":6,"kernel":3,"activation":"tanh"},
         {"name":"rnn","type":"lstm","of":"past","units":5,"peepholes":true,"initial_state":"given"},
         {"name":"gru","type":"gru","of":"rnn","units":3},
         {"name":"both","type":"concat","of":["rnn","gru"]},
         {"name":"logit","type":"dense","of":"both","units":1})",
                              "logit", R"(,"head":"sigmoid")"));
}

ModelFile Tagger() {
  return GraphModel(GraphText(R"({"tokens":20})",
                              R"({"name":"words","type":"embedding","of":"input","tokens":20,"units":4},
         {"name":"there","type":"lstm","of":"words","units":5},
         {"name":"back","type":"lstm","of":"words","units":5,"direction":"reverse"},
         {"name":"both","type":"concat","of":["there","back"]},
         {"name":"tags","type":"dense","of":"both","units":3})",
                              "tags", R"(,"head":"softmax","outputs":[{"name":"a"},{"name":"b"},{"name":"c"}])"));
}

class GraphModelsTest : public ::testing::Test {
 protected:
  // A session that is new begins; one that lives goes on.
  grpc::Status Predict(const std::string& model, const std::string& session_id, const std::vector<float>& values,
                       bool last_only = false) {
    v1::PredictRequest request;
    request.set_model(model);
    request.set_last_only(last_only);
    v1::Sequence* const sequence = AddSequence(&request, session_id, values);
    if (!session_id.empty() && begun_.insert(session_id).second) sequence->set_position(0);
    response_.Clear();
    return server_.Predict(request, &response_);
  }

  std::vector<float> Outputs(const std::string& model, const std::string& session_id,
                             const std::vector<float>& values) {
    const grpc::Status status = Predict(model, session_id, values);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response_.results_size() == 1 ? ValuesOf(response_.results(0)) : std::vector<float>();
  }

  const ModelFile detector_ = Detector();
  TestServer server_{{{"detector", detector_}, {"tagger", Tagger()}}};
  v1::PredictResponse response_;
  std::set<std::string> begun_;
};

TEST_F(GraphModelsTest, AnswersWhatTheInterpreterSays) {
  const std::vector<float> values = RandomValues(20 * 8, 1);
  Interpreter interpreter(detector_);
  std::vector<float> expected;
  for (size_t t = 0; t < 20; ++t) {
    const double logit = interpreter.Step({values.begin() + t * 8, values.begin() + t * 8 + 8})[0];
    expected.push_back(static_cast<float>(1 / (1 + std::exp(-logit))));
  }
  EXPECT_THAT(Outputs("detector", "", values), Pointwise(FloatNear(1e-5f), expected));
}

TEST_F(GraphModelsTest, StepByStepForkedAndExportedIsTheWholeSequence) {
  const std::vector<float> values = RandomValues(30 * 8, 2);
  const std::vector<float> whole = Outputs("detector", "", values);
  std::vector<float> steps;
  std::string session = "s";
  for (size_t t = 0; t < 30; ++t) {
    const std::vector<float> out = Outputs("detector", session, {values.begin() + t * 8, values.begin() + t * 8 + 8});
    steps.insert(steps.end(), out.begin(), out.end());
    if (t == 10) {
      grpc::ClientContext context;
      v1::ForkSessionRequest fork;
      fork.set_session_id(session);
      fork.set_new_session_id("forked");
      v1::Session forked;
      ASSERT_TRUE(server_.sessions().ForkSession(&context, fork, &forked).ok());
      session = "forked";
      begun_.insert(session);
    }
    if (t == 20) {
      grpc::ClientContext exporting, importing;
      v1::ExportSessionRequest wanted;
      wanted.set_session_id(session);
      v1::ExportSessionResponse exported;
      ASSERT_TRUE(server_.sessions().ExportSession(&exporting, wanted, &exported).ok());
      v1::ImportSessionRequest import;
      import.set_state(exported.state());
      import.set_session_id("imported");
      v1::Session imported;
      const grpc::Status status = server_.sessions().ImportSession(&importing, import, &imported);
      ASSERT_TRUE(status.ok()) << status.error_message();
      session = "imported";
      begun_.insert(session);
    }
  }
  EXPECT_EQ(steps, whole);
}

TEST_F(GraphModelsTest, AStateOfAnotherGraphIsRefused) {
  ASSERT_TRUE(Predict("detector", "s", RandomValues(8, 1)).ok());
  grpc::ClientContext exporting, importing;
  v1::ExportSessionRequest wanted;
  wanted.set_session_id("s");
  v1::ExportSessionResponse exported;
  ASSERT_TRUE(server_.sessions().ExportSession(&exporting, wanted, &exported).ok());
  absl::StatusOr<SessionRecord> record = DecodeSession(exported.state());
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_NE(record->model.graph, 0u);
  record->model.graph ^= 2;
  v1::ImportSessionRequest import;
  import.set_state(Encode(*record));
  import.set_session_id("t");
  v1::Session imported;
  const grpc::Status status = server_.sessions().ImportSession(&importing, import, &imported);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("is of network graph"));
}

TEST_F(GraphModelsTest, WholeSequencesOfAnyLengthsAreAnsweredAsIfAlone) {
  v1::PredictRequest request;
  request.set_model("tagger");
  std::vector<std::vector<float>> alone;
  for (size_t length : {3, 1, 7, 5}) {
    std::vector<float> tokens;
    for (size_t i = 0; i < length; ++i) tokens.push_back(static_cast<float>((i * 7 + length) % 20));
    alone.push_back(Outputs("tagger", "", tokens));
    EXPECT_EQ(alone.back().size(), 3 * length);
    AddSequence(&request, "", tokens);
  }
  response_.Clear();
  ASSERT_TRUE(server_.Predict(request, &response_).ok());
  for (size_t i = 0; i < alone.size(); ++i) EXPECT_EQ(ValuesOf(response_.results(i)), alone[i]);
  ASSERT_TRUE(Predict("tagger", "", {1, 2, 3}, /*last_only=*/true).ok());
  const std::vector<float> last = ValuesOf(response_.results(0));
  const std::vector<float> all = Outputs("tagger", "", {1, 2, 3});
  EXPECT_EQ(last, std::vector<float>(all.end() - 3, all.end()));
}

TEST_F(GraphModelsTest, AWholeSequenceNetworkHasNoSession) {
  grpc::Status status = Predict("tagger", "s", {1, 2});
  if (status.ok())
    status = grpc::Status(static_cast<grpc::StatusCode>(response_.results(0).status().code()),
                          response_.results(0).status().message());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("needs the whole sequence at once, for its element 'back'"));
  grpc::ClientContext context;
  v1::CreateSessionRequest create;
  create.set_model("tagger");
  v1::Session session;
  EXPECT_EQ(server_.sessions().CreateSession(&context, create, &session).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(GraphModelsTest, ItsElementsAreListed) {
  grpc::ClientContext context;
  v1::GetModelRequest request;
  request.set_name("detector");
  v1::Model model;
  ASSERT_TRUE(server_.models().GetModel(&context, request, &model).ok());
  EXPECT_EQ(model.cell(), "graph");
  ASSERT_EQ(model.elements_size(), 7);
  EXPECT_EQ(model.elements(3).name(), "rnn");
  EXPECT_EQ(model.elements(3).type(), "lstm");
  EXPECT_EQ(model.elements(3).of(0), "past");
  EXPECT_EQ(model.elements(3).channels(), 5);
  EXPECT_EQ(model.elements(3).parameters(), 4 * 5 * (6 + 5 + 2) + 3 * 5 + 10);
  EXPECT_EQ(model.elements(3).state_size(), 10);
  EXPECT_THAT(model.elements(3).attributes(), HasSubstr(R"("peepholes":true)"));
}

}  // namespace
}  // namespace rondo
