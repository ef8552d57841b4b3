// Sessions that begin where those of another model stand, and beam search, against a real server and its C++ client.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "client/client.h"
#include "tests/chain_model.h"
#include "tests/integration/test_server.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class InitialStateTest : public ::testing::Test {
 protected:
  InitialStateTest() : client_(Client::Connect(server_.server().address()).value()) {
    reader_ = client_.OpenSession("reader").value();
    EXPECT_TRUE(reader_->Run(std::vector<float>{2, 2, 0}).ok());
    state_.session_id = reader_->id();
  }
  static ModelFile Reader() {
    ModelFile model = ChainModel();
    model.weights.embedding[0] = 0.5f;
    return model;
  }
  CreateSessionInput Decoder() const {
    CreateSessionInput input;
    input.model = "chain";
    input.initial_state = state_;
    return input;
  }

  TestServer server_{{{"chain", ChainModel()}, {"reader", Reader()}, {"lstm", MakeTestModel(Cell::kLstm, 2, 8)}}};
  Client client_;
  std::optional<Session> reader_;
  InitialState state_;
  const std::vector<float> begin_ = {1};
};

TEST_F(InitialStateTest, ASessionOfAnotherModelOrItsExportIsWhereOneBegins) {
  Session from_session = client_.OpenSession(Decoder()).value();
  EXPECT_EQ(from_session.position(), 0);
  const std::vector<float> expected = from_session.Step(begin_).value();
  EXPECT_NE(client_.OpenSession("chain").value().Step(begin_).value(), expected);
  state_.exported = reader_->Export().value().state;
  state_.session_id.clear();
  EXPECT_EQ(client_.OpenSession(Decoder()).value().Step(begin_).value(), expected);
  state_.elements = {"rnn_l0"};
  EXPECT_EQ(client_.OpenSession(Decoder()).value().Step(begin_).value(), expected);
  EXPECT_EQ(reader_->position(), 3);
  EXPECT_TRUE(reader_->Step(begin_).ok());
}

TEST_F(InitialStateTest, WhatCannotBeginIsRefusedAndNothingIsMade) {
  CreateSessionInput input = Decoder();
  input.session_id = "new";
  input.model = "lstm";
  const absl::Status differs = client_.CreateSession(input).status();
  EXPECT_EQ(differs.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(differs.message()), HasSubstr("the state is of element 'rnn_l0' (rnn, 5 numbers)"));
  input.model = "chain";
  input.initial_state->session_id = "nobody";
  EXPECT_EQ(client_.CreateSession(input).status().code(), absl::StatusCode::kNotFound);
  input.initial_state->session_id.clear();
  EXPECT_EQ(client_.CreateSession(input).status().code(), absl::StatusCode::kInvalidArgument);
  input.initial_state->exported = "no state";
  EXPECT_EQ(client_.CreateSession(input).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(client_.GetSession("new").status().code(), absl::StatusCode::kNotFound);
  input.initial_state = state_;
  input.session_id = reader_->id();
  EXPECT_EQ(client_.CreateSession(input).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(InitialStateTest, OneThatIsLostBeforeItsFirstStepDoesNotBeginAtZero) {
  Session session = client_.OpenSession(Decoder()).value();
  ASSERT_TRUE(client_.DeleteSession(session.id()).ok());
  EXPECT_EQ(session.Step(begin_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(InitialStateTest, BeamsFollowIt) {
  GenerateInput input;
  input.prompt = "b";
  input.max_tokens = 5;
  input.num_beams = 3;
  input.stop_texts = {"\n"};
  input.initial_state = state_;
  int pieces = 0;
  const auto found = client_.Generate("chain", input, [&](const GeneratedPiece&) { return ++pieces > 0; });
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(pieces, 1);
  ASSERT_THAT(found->beams, SizeIs(3));
  EXPECT_EQ(found->beams[0].text, found->text);
  EXPECT_EQ(found->beams[0].tokens, found->tokens);
  EXPECT_EQ(found->beams[0].stopped, found->stopped);
  // The probabilities are those that the session answers step by step.
  Session session = client_.OpenSession(Decoder()).value();
  std::vector<float> probabilities = session.Step(begin_).value();
  double sum = 0;
  for (const int32_t token : found->tokens) {
    sum += std::log(static_cast<double>(probabilities[static_cast<size_t>(token)]));
    probabilities = session.Step(std::vector<float>{static_cast<float>(token)}).value();
  }
  EXPECT_NEAR(found->beams[0].log_probability, sum, 1e-5);
  input.temperature = 0.5;
  EXPECT_EQ(client_.Generate("chain", input).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rondo
