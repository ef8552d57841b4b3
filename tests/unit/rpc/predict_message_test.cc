#include "server/rpc/native/predict_message.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/unit/serve/serve_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PredictMessageTest : public ServeFixture, public MessageOwner {
 protected:
  PredictMessageTest() { static_cast<ServeContext&>(rpc_context_) = context_; }

  void OnMessageDone() override { ++done_; }
  v1::Sequence* Add(const std::string& session, const std::vector<float>& values) {
    v1::Sequence* const sequence = message_.request()->add_sequences();
    sequence->set_session_id(session);
    sequence->mutable_values()->Add(values.begin(), values.end());
    return sequence;
  }
  void RunMessage() {
    message_.request()->set_model("sum");
    message_.Start(now_, absl::InfiniteFuture());
    RunUntilIdle();
    EXPECT_FALSE(message_.running());
  }

  RpcContext rpc_context_;
  PredictMessage message_{&rpc_context_, Method::kStreamPredict, this};
  int done_ = 0;
};

TEST_F(PredictMessageTest, ResultsAreInTheReplyInTheirOrder) {
  Add("s", three_steps_)->set_position(0);
  Add("", two_);
  Add("s", one_)->set_position(9);
  RunMessage();
  EXPECT_EQ(done_, 1);
  const v1::PredictResponse& response = message_.response();
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_FALSE(response.has_status());
  EXPECT_THAT(response.results(0).values(), ElementsAre(1, 3, 6));
  EXPECT_EQ(response.results(0).next_position(), 3);
  EXPECT_FALSE(response.results(0).has_durable_position());
  EXPECT_THAT(response.results(1).values(), ElementsAre(2));
  EXPECT_EQ(response.results(2).status().code(), static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(response.results(2).next_position(), 3);
  EXPECT_EQ(response.results(2).values_size(), 0);
}

TEST_F(PredictMessageTest, AnAbsentPositionIsNotZero) {
  Add("s", one_);
  RunMessage();
  EXPECT_EQ(message_.response().results(0).status().code(), static_cast<int>(absl::StatusCode::kNotFound));
}

TEST_F(PredictMessageTest, ARefusedMessageHasAStatusAndNoResults) {
  Add("", one_);
  message_.request()->set_timeout_ms(std::numeric_limits<int64_t>::min());
  RunMessage();
  EXPECT_EQ(message_.response().results_size(), 0);
  EXPECT_THAT(message_.response().status().message(), HasSubstr("timeout_ms is -9223372036854775808"));
  EXPECT_EQ(message_.response().status().code(), static_cast<int>(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(absl::IsInvalidArgument(message_.refusal()));
}

TEST_F(PredictMessageTest, WhatIsFullSaysWhenToTryAgain) {
  for (int i = 0; i < 66; ++i) Add("s", one_)->set_position(i);  // one runs, 64 wait
  RunMessage();
  const v1::SequenceResult& last = message_.response().results(65);
  EXPECT_EQ(last.status().code(), static_cast<int>(absl::StatusCode::kResourceExhausted));
  EXPECT_GE(last.status().retry_after_ms(), 50);  // 100 with jitter
  EXPECT_LE(last.status().retry_after_ms(), 150);
}

TEST_F(PredictMessageTest, MemoryOfUsualMessagesIsKeptAndThatOfLargeOnesGivenBack) {
  Add("", three_steps_);
  RunMessage();
  message_.Clear();
  const size_t usual = message_.request()->SpaceUsedLong();
  context_.limits.max_timesteps = rpc_context_.limits.max_timesteps = 1'000'000;
  Add("", std::vector<float>(100'000, 1.0f));
  RunMessage();
  EXPECT_EQ(message_.response().results(0).values_size(), 100'000);
  EXPECT_GT(message_.request()->SpaceUsedLong(), 400'000u);
  message_.Clear();
  EXPECT_LE(message_.request()->SpaceUsedLong(), usual);
  EXPECT_LT(message_.response().SpaceUsedLong(), 1000u);
  Add("", two_);
  RunMessage();
  EXPECT_THAT(message_.response().results(0).values(), ElementsAre(2));
}

TEST_F(PredictMessageTest, OfARefusedRequestNothingIsKept) {
  for (int i = 0; i < 100'000; ++i) message_.request()->add_sequences();
  RunMessage();
  EXPECT_TRUE(absl::IsInvalidArgument(message_.refusal()));
  EXPECT_LT(message_.request()->SpaceUsedLong(), 1000u) << "though its reply is not sent yet";
}

TEST_F(PredictMessageTest, MessagesThatAreLargeAtDifferentPlacesDoNotAddUpForEver) {
  constexpr int kSequences = 200;
  size_t most = 0;
  for (int large = 0; large < kSequences; ++large) {
    for (int i = 0; i < kSequences; ++i) Add("", i == large ? std::vector<float>(9'000, 1.0f) : one_);
    RunMessage();
    message_.Clear();
    most = std::max(most, message_.request()->SpaceUsedLong());
  }
  EXPECT_LT(most, size_t{8} << 20) << "all of them take " << kSequences * 9'000 * sizeof(float);
}

TEST_F(PredictMessageTest, WhatAMessageTakesIsChargedUntilItsReplyIsSent) {
  WorkBudget budget{WorkLimits{}};
  rpc_context_.budget = &budget;
  v1::Sequence* const sequence = Add("", three_steps_);
  sequence->set_session_id(std::string(5'000, 's'));
  RunMessage();
  EXPECT_EQ(budget.steps(), 0u);
  EXPECT_GT(budget.bytes(), 5'000u);
  message_.Clear();
  EXPECT_EQ(budget.bytes(), 0u);
}

}  // namespace
}  // namespace rondo
