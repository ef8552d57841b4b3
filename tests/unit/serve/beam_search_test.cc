// Generations that do not sample, or that begin with another model's state.

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "server/serve/check_generate.h"
#include "tests/unit/serve/generation_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class BeamSearchTest : public GenerationFixture {
 protected:
  explicit BeamSearchTest(const ActiveSet::Options& queue = {}) : GenerationFixture(queue) {
    request_.num_beams = 4;
    ModelFile reader = ChainModel();  // a network of its own, with a state of the shape that "chain" has
    reader.weights.embedding[0] = 0.5f;
    reader.spec.vocabulary = nullptr;
    Put("reader/1", reader);
    EXPECT_TRUE(registry_->Reload().ok());
  }

  std::vector<FoundSequence> Found() {
    const absl::Status status = Generate();
    EXPECT_TRUE(status.ok()) << status;
    if (request_.num_beams > 1) {
      EXPECT_EQ(hearer_->told, 0);
    }
    return {hearer_->generation.beams().begin(), hearer_->generation.beams().end()};
  }
  // The logarithm of the probability of `tokens` after the prompt, as Predict answers it.
  double LogProbability(const Tokens& tokens) {
    Tokens text = prompt_;
    double sum = 0;
    for (const int32_t token : tokens) {
      sum += std::log(static_cast<double>(OutputAfter(text)[static_cast<size_t>(token)]));
      text.push_back(token);
    }
    return sum;
  }
};

TEST_F(BeamSearchTest, FindsSequencesWithTheProbabilitiesThatPredictGives) {
  const std::vector<FoundSequence> found = Found();
  ASSERT_THAT(found, SizeIs(4));
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_THAT(found[i].tokens, SizeIs(6));
    EXPECT_NEAR(found[i].log_probability, LogProbability(found[i].tokens), 1e-5);
    if (i > 0) {
      EXPECT_LE(found[i].score, found[i - 1].score);
    }
  }
  EXPECT_EQ(Tokens(hearer_->generation.tokens().begin(), hearer_->generation.tokens().end()), found[0].tokens);
  EXPECT_FALSE(hearer_->generation.stopped());
  EXPECT_EQ(metrics_.ForModel("chain")->requests.generated_tokens.Value(), 24u);
}

TEST_F(BeamSearchTest, BesideOthersTheSequencesAreTheSame) {
  const std::vector<FoundSequence> alone = Found();
  std::vector<std::unique_ptr<Hearer>> hearers;
  for (int i = 0; i < 20; ++i) {
    hearers.push_back(std::make_unique<Hearer>(&context_));
    hearers.back()->generation.Start(request_, now_, absl::InfiniteFuture());
  }
  RunUntilIdle();
  for (const auto& hearer : hearers) {
    ASSERT_THAT(hearer->generation.beams(), SizeIs(4));
    for (size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(hearer->generation.beams()[i].tokens, alone[i].tokens);
      EXPECT_EQ(hearer->generation.beams()[i].log_probability, alone[i].log_probability);
    }
  }
}

TEST_F(BeamSearchTest, ASessionIsWhereItBeginsAndStaysAsItWas) {
  const std::vector<FoundSequence> from_prompt = Found();
  Feed("s", prompt_);
  request_.session_id = "s";
  request_.prompt = {};
  const std::vector<FoundSequence> from_session = Found();
  ASSERT_THAT(from_session, SizeIs(4));
  EXPECT_EQ(from_session[3].tokens, from_prompt[3].tokens);
  EXPECT_EQ(hearer_->generation.next_position(), 2);
  EXPECT_EQ(sessions_.Get("s", now_)->position, 2);
  request_.max_tokens = 1;  // nothing runs
  EXPECT_THAT(Found()[0].tokens, ElementsAre(2));
}

TEST_F(BeamSearchTest, AStopTokenEndsASequence) {
  const Tokens stops = {4};
  request_.stop_tokens = stops;
  const std::vector<FoundSequence> found = Found();
  EXPECT_THAT(found[0].tokens, ElementsAre(2, 3, 4));
  EXPECT_TRUE(found[0].stopped);
  EXPECT_TRUE(hearer_->generation.stopped());
}

TEST_F(BeamSearchTest, WhatItAsksForIsChecked) {
  const GenerateView good = request_;
  const auto expect_invalid = [&](absl::string_view text) {
    ExpectInvalid(text);
    request_ = good;
  };
  request_.num_beams = 17;
  expect_invalid("num_beams is 17; wanted 2 to 16");
  request_.num_beams = -1;
  expect_invalid("num_beams is -1");
  request_.length_penalty = 11;
  expect_invalid("length_penalty is 11; wanted 0 to 10");
  request_.num_beams = 0;
  request_.length_penalty = 1;
  expect_invalid("there is nothing to compare");
  request_.sampling.temperature = 0.5;
  expect_invalid("samples nothing");
  request_.session_id = "s";
  request_.move_session = true;
  expect_invalid("leaves its session as it is");
  request_.num_beams = 16;
  request_.max_tokens = 9'000;
  context_.limits.max_message_bytes = 1 << 18;
  expect_invalid("the reply may have");
}

TEST(ReplyBytesTest, TheLastMessageHasTokensBesidesTheSequences) {
  GenerateView request;
  request.num_beams = 2;
  request.max_tokens = 100;
  EXPECT_EQ(ReplyBytesOf(request, ModelSpec()), (2u + 1u) * (100 * 5 + 64));
  request.max_tokens = 5000;  // of which earlier messages had the most
  EXPECT_EQ(ReplyBytesOf(request, ModelSpec()), 2u * (5000 * 5 + 64) + kMaxTokensPerMessage * 5 + 64);
}

TEST_F(BeamSearchTest, EndsWithinAStepWhenCancelledOrExpired) {
  request_.max_tokens = 100;
  hearer_ = std::make_unique<Hearer>(&context_);
  hearer_->generation.Start(request_, now_, absl::InfiniteFuture());
  for (int i = 0; i < 5; ++i) engine_.RunBatch();
  hearer_->generation.Cancel();
  engine_.RunBatch();
  EXPECT_TRUE(hearer_->done);
  ExpectRefused(hearer_->generation.status(), Why::kCancelled, "cancelled", absl::StatusCode::kCancelled, 0);
  ExpectRefused(Generate(now_ - absl::Seconds(1)), Why::kDeadline, "deadline", absl::StatusCode::kDeadlineExceeded, 0);
}

class FullLoopTest : public BeamSearchTest {
 protected:
  FullLoopTest() : BeamSearchTest({/*max_active=*/3, /*max_queued=*/0}) {}
};

TEST_F(FullLoopTest, OneThatTheLoopHasNoRoomForEndsAsAWhole) {
  const absl::Status status = Generate();  // the prompt fits, four sequences do not
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(engine_.idle());
}

// The state of a session of "reader", taken over by sessions and generations of "chain".
class InitialStateTest : public BeamSearchTest {
 protected:
  InitialStateTest() {
    Feed("read", {2, 2, 0}, "reader");
    request_.num_beams = 0;
    request_.sampling.temperature = 0;
    request_.prompt = begin_;
    state_.session_id = "read";
    request_.initial_state = state_;
  }
  Tokens Generated() {
    const absl::Status status = Generate();
    EXPECT_TRUE(status.ok()) << status;
    return {hearer_->generation.tokens().begin(), hearer_->generation.tokens().end()};
  }
  std::vector<float> StateFor(const InitialStateView& view, absl::string_view model) {
    SessionLease source = view.session_id.empty() ? SessionLease() : Hold(view.session_id);
    auto state = InitialStateOf(view, &source, *registry_, *(*registry_->Find(model, 0))->model);
    EXPECT_TRUE(state.ok()) << state.status();
    return state.value_or(std::vector<float>());
  }
  void ExpectPosition(absl::string_view text) {
    const absl::Status status = Generate();
    ExpectRefused(status, Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0);
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(text)));
  }

  const Tokens begin_ = {1};
  InitialStateView state_;
};

TEST_F(InitialStateTest, ASessionBeginsWithItAtPosition0) {
  const ServedModelPtr chain = *registry_->Find("chain", 0);
  const std::vector<float> state = StateFor(state_, "chain");
  ASSERT_TRUE(sessions_.Create("s", chain, std::nullopt, now_, state).ok());
  EXPECT_EQ(sessions_.Get("s", now_)->position, 0);
  // What "chain" answers to a token after that state, by a batch of one row.
  std::vector<float> next(state.size()), expected(5);
  const float token = 1;
  StepRow row;
  row.input = &token;
  row.state_in = state.data();
  row.state_out = next.data();
  row.output = expected.data();
  chain->model->network->Step({&row, 1});
  EXPECT_TRUE(Run(Of("s", 0, one_), RequestOf("chain")).status.ok());
  EXPECT_EQ(last_values_, expected);
  EXPECT_EQ(sessions_.Get("read", now_)->position, 3);
}

TEST_F(InitialStateTest, TokensFollowItAsTheyFollowASessionThatBeganWithIt) {
  ASSERT_TRUE(sessions_.Create("s", *registry_->Find("chain", 0), std::nullopt, now_, StateFor(state_, "chain")).ok());
  const Tokens generated = Generated();
  EXPECT_EQ(hearer_->generation.next_position(), 0);
  EXPECT_EQ(sessions_.Get("read", now_)->position, 3);
  const std::string exported = Encode(Hold("read").Export());
  request_.initial_state->session_id = "";
  request_.initial_state->exported = exported;
  EXPECT_EQ(Generated(), generated);
  request_.num_beams = 2;
  request_.sampling.temperature = 1;
  const std::vector<FoundSequence> found = Found();
  request_.initial_state.reset();
  request_.session_id = "s";
  EXPECT_EQ(Found()[0].log_probability, found[0].log_probability);
  request_.num_beams = 0;
  request_.sampling.temperature = 0;
  EXPECT_EQ(Generated(), generated);
  EXPECT_THAT(hearer_->generation.beams(), IsEmpty());
}

TEST_F(InitialStateTest, WhatDoesNotFitIsRefused) {
  const GenerateView good = request_;
  request_.session_id = "s";
  ExpectInvalid("session_id and initial_state are given");
  request_ = good;
  request_.prompt = {};
  ExpectInvalid("initial_state is given, but no prompt");
  request_ = good;
  request_.initial_state->exported = "x";
  ExpectInvalid("both session_id and state");
  request_.initial_state = InitialStateView();
  ExpectInvalid("neither session_id nor state");
  request_.initial_state->exported = "not a state";
  EXPECT_EQ(Generate().code(), absl::StatusCode::kDataLoss);
  request_.initial_state = InitialStateView();
  request_.initial_state->session_id = "nobody";
  ExpectRefused(Generate(), Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0, 0);
  EXPECT_TRUE(Run(Of("sums", 0, one_)).status.ok());
  request_.initial_state->session_id = "sums";
  ExpectPosition("the state is of element 'rnn_l0' (rnn, 1 number) of model 'sum'; model 'chain' has 'rnn_l0' (rnn, 5");
  const absl::string_view elements[] = {"attention"};
  request_.initial_state->elements = elements;
  ExpectPosition("the state has to fit element 'attention', and model 'sum' has 'rnn_l0'");
}

TEST_F(InitialStateTest, ASessionThatMustExistIsNotBegunAnewByAGeneration) {
  request_.initial_state.reset();
  request_.session_id = "gone";
  request_.position = 0;
  request_.move_session = request_.must_exist = true;
  ExpectRefused(Generate(), Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0, 0);
  ASSERT_TRUE(sessions_.Create("gone", *registry_->Find("chain", 0), std::nullopt, now_).ok());
  EXPECT_TRUE(Generate().ok());
  EXPECT_GT(hearer_->generation.next_position(), 0);
}

TEST_F(InitialStateTest, ASessionThatMustExistIsNotBegunAnew) {
  SequenceView sequence = Of("gone", 0, one_);
  sequence.must_exist = true;
  ExpectRefused(Run(sequence, RequestOf("chain")).status, Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0);
  ASSERT_TRUE(sessions_.Create("gone", *registry_->Find("chain", 0), std::nullopt, now_).ok());
  EXPECT_TRUE(Run(sequence, RequestOf("chain")).status.ok());
}

}  // namespace
}  // namespace rondo
