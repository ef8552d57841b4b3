#include "server/serve/generation.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/steady_time.h"
#include "gmock/gmock.h"
#include "tests/unit/serve/generation_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class GenerationTest : public GenerationFixture {
 protected:
  explicit GenerationTest(const ActiveSet::Options& queue = {}) : GenerationFixture(queue) {
    request_.sampling.seed = 3;
  }

  Tokens Generated() {
    const absl::Status status = Generate();
    EXPECT_TRUE(status.ok()) << status;
    return hearer_->tokens();
  }
  void ExpectPosition(absl::string_view text, std::optional<int64_t> next_position = std::nullopt) {
    const absl::Status status = Generate();
    ExpectRefused(status, Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0, next_position);
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(text)));
  }
  int64_t PositionOf(absl::string_view session) { return sessions_.Get(session, now_)->position; }
};

TEST_F(GenerationTest, SamplesWhatSteppingByHandSamples) {
  const Tokens generated = Generated();
  TokenSampler sampler(request_.sampling, 5);
  Tokens text = prompt_;
  for (size_t i = 0; i < 6; ++i) {
    text.push_back(static_cast<int32_t>(sampler.Choose(OutputAfter(text), static_cast<int64_t>(text.size()))));
  }
  EXPECT_EQ(generated, Tokens(text.begin() + 2, text.end()));
  EXPECT_EQ(hearer_->generation.next_position(), 0);
  EXPECT_FALSE(hearer_->generation.stopped());
  EXPECT_EQ(metrics_.ForModel("chain")->requests.generated_tokens.Value(), 6u);
}

TEST_F(GenerationTest, OneTokenOfAPromptOrOfASession) {
  request_.max_tokens = 1;
  request_.sampling.temperature = 0;
  EXPECT_THAT(Generated(), ElementsAre(2));
  Feed("s", {0, 1, 2});
  request_.prompt = {};
  request_.session_id = "s";
  EXPECT_THAT(Generated(), ElementsAre(3));
  EXPECT_EQ(hearer_->told, 0);  // it was there before anything ran
  EXPECT_EQ(hearer_->generation.next_position(), 3);
}

TEST_F(GenerationTest, ASessionThatDoesNotMoveIsAsItWas) {
  Feed("s", prompt_);
  request_.prompt = {};
  request_.session_id = "s";
  const Tokens from_session = Generated();
  EXPECT_EQ(PositionOf("s"), 2);
  EXPECT_EQ(hearer_->told, 6);
  EXPECT_EQ(Generated(), from_session);
  request_.session_id = "";
  request_.prompt = prompt_;
  EXPECT_EQ(Generated(), from_session);
}

TEST_F(GenerationTest, ASessionThatMovesTakesThePromptAndAllTokens) {
  const Tokens whole = Generated();
  request_.session_id = "s";
  request_.move_session = true;
  request_.position = 0;  // makes it
  EXPECT_EQ(Generated(), whole);
  EXPECT_EQ(hearer_->generation.next_position(), 8);
  EXPECT_EQ(PositionOf("s"), 8);
  Tokens text = prompt_;
  text.insert(text.end(), whole.begin(), whole.end());
  const std::vector<float> values(text.begin(), text.end());
  RequestView predict = RequestOf("chain");
  predict.last_only = true;
  const std::vector<float> expected = OutputAfter(text);
  EXPECT_TRUE(Run(Of("s", 0, values), predict).status.ok());  // the request again, as a Predict
  EXPECT_EQ(last_values_, expected);
  EXPECT_EQ(PositionOf("s"), 8);
}

TEST_F(GenerationTest, InPiecesThatMoveTheSessionTheTokensAreThoseOfOneRequest) {
  request_.max_tokens = 30;
  const Tokens whole = Generated();
  Feed("s", prompt_);
  request_.session_id = "s";
  request_.prompt = {};
  request_.move_session = true;
  request_.max_tokens = 10;
  Tokens pieces;
  for (int i = 0; i < 3; ++i) {
    request_.position = 2 + 10 * i;
    const Tokens piece = Generated();
    pieces.insert(pieces.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(pieces, whole);
  EXPECT_EQ(PositionOf("s"), 32);
}

TEST_F(GenerationTest, BesideOthersTheTokensAreTheSame) {
  request_.max_tokens = 50;
  const Tokens alone = Generated();
  std::vector<std::unique_ptr<Hearer>> hearers;
  for (uint64_t i = 0; i < 64; ++i) {
    hearers.push_back(std::make_unique<Hearer>(&context_));
    GenerateView request = request_;
    request.sampling.seed = 1 + i;
    hearers.back()->generation.Start(request, now_, absl::InfiniteFuture());
  }
  RunUntilIdle();
  EXPECT_EQ(hearers[2]->tokens(), alone);
  EXPECT_NE(hearers[3]->tokens(), alone);
}

TEST_F(GenerationTest, AStopTokenIsTheLastOneAndNothingRunsAfterIt) {
  request_.sampling.temperature = 0;
  const Tokens stops = {3};
  request_.stop_tokens = stops;
  EXPECT_THAT(Generated(), ElementsAre(2, 3));
  EXPECT_TRUE(hearer_->generation.stopped());
  EXPECT_EQ(metrics_.ForModel("chain")->loop.batch_size.Read().sum, 3u);  // two of the prompt, one token
  const absl::string_view texts[] = {"\n"};
  request_.stop_tokens = {};
  request_.stop_texts = texts;
  EXPECT_THAT(Generated(), ElementsAre(2, 3, 4));
}

TEST_F(GenerationTest, ASessionTakesTheStopTokenToo) {
  request_.sampling.temperature = 0;
  const Tokens stops = {3};
  request_.stop_tokens = stops;
  request_.session_id = "s";
  request_.move_session = true;
  request_.position = 0;
  EXPECT_THAT(Generated(), ElementsAre(2, 3));
  EXPECT_EQ(PositionOf("s"), 4);
  request_.prompt = {};
  request_.position = 4;
  request_.stop_tokens = {};
  request_.max_tokens = 2;
  EXPECT_THAT(Generated(), ElementsAre(4, 0));
  const Tokens first = {1};
  request_.stop_tokens = first;  // it is sampled before anything runs
  request_.position = 6;
  EXPECT_THAT(Generated(), ElementsAre(1));
  EXPECT_EQ(PositionOf("s"), 7);
}

TEST_F(GenerationTest, ATextIsAPrompt) {
  const Tokens by_number = Generated();
  request_.prompt = {};
  request_.prompt_text = "ab";
  EXPECT_EQ(Generated(), by_number);
  request_.prompt_text = "abx";
  ExpectInvalid("at byte 2: 'x'");
}

TEST_F(GenerationTest, WhatItAsksForIsChecked) {
  const GenerateView good = request_;
  const auto expect_invalid = [&](absl::string_view text) {
    ExpectInvalid(text);
    request_ = good;
  };
  for (const int64_t tokens : {int64_t{0}, int64_t{-1}, int64_t{10'001}}) {
    request_.max_tokens = tokens;
    ExpectInvalid("wanted 1 to 10000");
  }
  request_.max_tokens = 9'999;
  expect_invalid("the prompt has 2 tokens and max_tokens is 9999; together at most 10000");
  request_.sampling.temperature = 101;
  expect_invalid("temperature is 101");
  request_.prompt_text = "a";
  expect_invalid("as tokens and as text");
  request_.prompt = {};
  expect_invalid("neither a session nor a prompt");
  const Tokens wrong = {0, 5};
  request_.prompt = wrong;
  expect_invalid("prompt_tokens[1] is 5; wanted a token from 0 to 4");
  request_.stop_tokens = wrong;
  expect_invalid("stop_tokens[1] is 5");
  const Tokens many(65, 0);
  request_.stop_tokens = many;
  expect_invalid("65 stop tokens; wanted at most 64");
  const absl::string_view two[] = {"ab"};
  request_.stop_texts = two;
  expect_invalid("'ab' is not the text of one token");
  request_.move_session = true;
  expect_invalid("session_id is empty");
  request_.session_id = "s";
  request_.position = 0;
  expect_invalid("move_session is not set");
  request_.tokens_per_message = 1025;
  expect_invalid("tokens_per_message is 1025; wanted 1 to 1024");
}

TEST_F(GenerationTest, AModelThatDoesNotAnswerTokensCannotGenerate) {
  request_.model = "sum";
  ExpectPosition("answers 1 numbers with head linear");
  request_.model = "some";
  ExpectRefused(Generate(), Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0);
}

TEST_F(GenerationTest, TheSessionIsThereAndStandsWhereTheRequestGoesOn) {
  request_.session_id = "s";
  ExpectRefused(Generate(), Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0, 0);
  request_.move_session = true;
  ExpectRefused(Generate(), Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0, 0);
  Feed("s", {0});
  request_.position = 3;
  ExpectPosition("session 's' expects position 1; the request starts at 3", 1);
  ASSERT_TRUE(sessions_.Create("empty", *registry_->Find("chain", 0), std::nullopt, now_).ok());
  request_.session_id = "empty";
  request_.position = 0;
  request_.prompt = {};
  ExpectPosition("has no timestep yet");
  Run(Of("sums", 0, one_));
  request_.session_id = "sums";
  ExpectPosition("session 'sums' runs model 'sum'");
}

TEST_F(GenerationTest, AFailureInTheMiddleLeavesTheSessionAsItWas) {
  Feed("s", prompt_);
  request_.session_id = "s";
  request_.move_session = true;
  hearer_ = std::make_unique<Hearer>(&context_);
  hearer_->cancels_at = 3;
  hearer_->generation.Start(request_, now_, absl::InfiniteFuture());
  RunUntilIdle();
  EXPECT_THAT(hearer_->tokens(), SizeIs(3));  // within a step
  ExpectRefused(hearer_->generation.status(), Why::kCancelled, "cancelled", absl::StatusCode::kCancelled, 0);
  EXPECT_EQ(PositionOf("s"), 2);
  EXPECT_TRUE(Generate().ok());  // the session is free
  EXPECT_EQ(PositionOf("s"), 10);
}

TEST_F(GenerationTest, AnExpiredOneEnds) {
  ExpectRefused(Generate(now_ - absl::Seconds(1)), Why::kDeadline, "deadline", absl::StatusCode::kDeadlineExceeded, 0);
}

TEST_F(GenerationTest, ADeadlineThatPassesEndsItWithinAStep) {
  request_.max_tokens = 9'998;
  hearer_ = std::make_unique<Hearer>(&context_);
  const absl::Time deadline = SteadyNow() + absl::Microseconds(300);
  hearer_->generation.Start(request_, now_, deadline);
  while (!hearer_->done) {
    const bool has_passed = SteadyNow() >= deadline;
    engine_.RunBatch();
    if (has_passed) {
      ASSERT_TRUE(hearer_->done);
    }
  }
  EXPECT_LT(hearer_->tokens().size(), 9'998u);
  ExpectRefused(hearer_->generation.status(), Why::kDeadline, "deadline", absl::StatusCode::kDeadlineExceeded, 0);
}

TEST_F(GenerationTest, WaitsForASessionThatIsBusyAndLeavesTheQueueWhenCancelled) {
  Feed("s", prompt_);
  request_.session_id = "s";
  request_.move_session = true;
  Hearer first(&context_), second(&context_), third(&context_);
  for (Hearer* hearer : {&first, &second, &third}) {
    hearer->generation.Start(request_, now_, absl::InfiniteFuture());
  }
  second.generation.Cancel();
  ExpectRefused(second.generation.status(), Why::kCancelled, "cancelled", absl::StatusCode::kCancelled, 0);
  RunUntilIdle();
  EXPECT_TRUE(first.generation.status().ok());
  EXPECT_TRUE(third.generation.status().ok());
  EXPECT_EQ(third.generation.next_position(), 2 + 8 + 8);
}

TEST_F(GenerationTest, WhatComesWhileTheServerDrainsIsRefused) {
  draining_ = true;
  ExpectRefused(Generate(), Why::kDraining, "draining", absl::StatusCode::kUnavailable, 0);
}

TEST_F(GenerationTest, ItIsChargedForEveryStepBeforeItRunsAndForItsBytesAsLongAsItsTokensAreThere) {
  auto hearer = std::make_unique<Hearer>(&context_);
  hearer->generation.Start(request_, now_, absl::InfiniteFuture());
  EXPECT_EQ(budget_.steps(), 8u);
  EXPECT_GT(budget_.bytes(), 0u);
  RunUntilIdle();
  EXPECT_EQ(budget_.steps(), 0u);
  EXPECT_GT(budget_.bytes(), 0u);
  hearer = nullptr;
  EXPECT_EQ(budget_.bytes(), 0u);
  WorkBudget small(WorkLimits{10, 1 << 20});
  context_.budget = &small;
  ExpectInvalid("the request takes 8 steps; one request may take 5");
}

class CrowdedGenerationTest : public GenerationTest {
 protected:
  CrowdedGenerationTest() : GenerationTest({1, 0}) {}
};

TEST_F(CrowdedGenerationTest, AFullLoopRefusesItBeforeAnyToken) {
  Hearer first(&context_);
  first.generation.Start(request_, now_, absl::InfiniteFuture());
  Hearer second(&context_);
  second.generation.Start(request_, now_, absl::InfiniteFuture());
  ExpectRefused(second.generation.status(), Why::kQueueFull, "queue_full", absl::StatusCode::kResourceExhausted, 100);
  EXPECT_EQ(second.told, 0);
  RunUntilIdle();
  EXPECT_TRUE(first.generation.status().ok());
}

}  // namespace
}  // namespace rondo
