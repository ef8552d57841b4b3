// Generate against a real server, over a real connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "client/client.h"
#include "tests/chain_model.h"
#include "tests/integration/test_server.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class GenerateTest : public ::testing::Test {
 protected:
  static v1::GenerateRequest RequestOf(int max_tokens, uint64_t seed = 7) {
    v1::GenerateRequest request;
    request.set_model("chain");
    request.set_prompt("ab");
    request.set_max_tokens(max_tokens);
    request.set_seed(seed);
    return request;
  }

  // One call that is read to its end.
  struct Call {
    Call(v1::Inference::Stub* stub, const v1::GenerateRequest& request) : reader(stub->Generate(&context, request)) {}
    grpc::Status Finish() {
      v1::GenerateResponse response;
      while (reader->Read(&response)) {
        EXPECT_EQ(last.finish(), v1::GenerateResponse::GOES_ON);
        text += response.text();
        tokens += response.tokens_size();
        ++messages;
        last = response;
      }
      return reader->Finish();
    }

    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::GenerateResponse>> reader;
    std::string text;
    int tokens = 0;
    int messages = 0;
    v1::GenerateResponse last;
  };
  std::string Text(const v1::GenerateRequest& request) {
    Call call(&server_.inference(), request);
    const grpc::Status status = call.Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(call.tokens, request.max_tokens());
    return call.text;
  }
  grpc::Status Refusal(const v1::GenerateRequest& request) {
    Call call(&server_.inference(), request);
    const grpc::Status status = call.Finish();
    EXPECT_EQ(call.messages, 0);
    return status;
  }

  TestServer server_{{{"chain", ChainModel()}, {"lstm", MakeTestModel(Cell::kLstm, 2, 8)}}};
};

TEST_F(GenerateTest, TextComesInMessagesAndTheLastSaysWhyItEnds) {
  v1::GenerateRequest request = RequestOf(100);
  request.set_tokens_per_message(30);
  Call call(&server_.inference(), request);
  ASSERT_TRUE(call.Finish().ok());
  EXPECT_THAT(call.text, SizeIs(100));
  EXPECT_LE(call.messages, 4);
  EXPECT_EQ(call.last.finish(), v1::GenerateResponse::MAX_TOKENS);
  request.add_stop_texts("\n");
  Call stopped(&server_.inference(), request);
  ASSERT_TRUE(stopped.Finish().ok());
  EXPECT_EQ(stopped.text, call.text.substr(0, call.text.find('\n') + 1));
  EXPECT_EQ(stopped.last.finish(), v1::GenerateResponse::STOP_TOKEN);
}

TEST_F(GenerateTest, ASeedGivesItsTextAloneAndAmong64Others) {
  const std::string alone = Text(RequestOf(300));
  std::vector<std::unique_ptr<Call>> calls;
  for (uint64_t seed = 1; seed <= 64; ++seed) {
    calls.push_back(std::make_unique<Call>(&server_.inference(), RequestOf(300, seed)));
  }
  for (const auto& call : calls) ASSERT_TRUE(call->Finish().ok());
  EXPECT_EQ(calls[6]->text, alone);
  EXPECT_NE(calls[7]->text, alone);
  EXPECT_EQ(server_.Metric("rondo_generated_tokens_total{model=\"chain\"}"), 65 * 300);
}

TEST_F(GenerateTest, ASessionThatMovesGoesOnWhereItsTextEnded) {
  v1::GenerateRequest request = RequestOf(20);
  const std::string whole = Text(RequestOf(40));
  request.set_session_id("s");
  request.set_move_session(true);
  request.set_position(0);
  std::string pieces = Text(request);
  request.clear_prompt();
  EXPECT_EQ(Refusal(request).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  request.set_position(22);
  pieces += Text(request);
  EXPECT_EQ(pieces, whole);
}

TEST_F(GenerateTest, WhatCannotRunIsRefusedBeforeAnyToken) {
  v1::GenerateRequest request = RequestOf(0);
  EXPECT_THAT(Refusal(request).error_message(), HasSubstr("max_tokens is 0; wanted 1 to 10000"));
  request = RequestOf(5);
  request.set_prompt("xyz");
  EXPECT_EQ(Refusal(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.set_prompt("");
  request.set_session_id("nobody");
  EXPECT_EQ(Refusal(request).error_code(), grpc::StatusCode::NOT_FOUND);
  request = RequestOf(5);
  request.set_model("lstm");
  EXPECT_EQ(Refusal(request).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(server_.Metric("rondo_rejected_total{reason=\"invalid\"}"), 2);
}

TEST_F(GenerateTest, AClientThatGoesAwayEndsItsTokens) {
  v1::GenerateRequest request = RequestOf(9'998);
  Call call(&server_.inference(), request);
  v1::GenerateResponse response;
  ASSERT_TRUE(call.reader->Read(&response));
  call.context.TryCancel();
  server_.WaitUntilQuiet();
}

TEST_F(GenerateTest, TheClientGetsTextAsItComes) {
  const absl::StatusOr<Client> client = Client::Connect(server_.server().address());
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_THAT(client->GetModel("chain")->vocabulary, SizeIs(5));
  GenerateInput input;
  input.prompt = "ab";
  input.max_tokens = 300;
  input.seed = 7;
  std::string text;
  const auto output = client->Generate("chain", input, [&](const GeneratedPiece& piece) {
    text += piece.text;
    return true;
  });
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->text, Text(RequestOf(300)));
  EXPECT_EQ(text, output->text);
  EXPECT_THAT(output->tokens, SizeIs(300));
  input.prompt = "no";
  EXPECT_EQ(client->Generate("chain", input).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rondo
