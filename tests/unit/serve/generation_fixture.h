#ifndef RONDO_TESTS_UNIT_SERVE_GENERATION_FIXTURE_H_
#define RONDO_TESTS_UNIT_SERVE_GENERATION_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "server/serve/generation.h"
#include "tests/chain_model.h"
#include "tests/unit/serve/serve_fixture.h"

namespace rondo {

using Tokens = std::vector<int32_t>;

// One generation and what its owner heard.
class Hearer : public GenerationOwner {
 public:
  explicit Hearer(const ServeContext* context) : generation(context, this) {}
  void OnTokens() override {
    EXPECT_FALSE(done);
    ++told;
    if (cancels_at == generation.tokens().size()) generation.Cancel();
  }
  void OnMessageDone() override {
    EXPECT_FALSE(done);
    done = true;
  }
  Tokens tokens() const { return Tokens(generation.tokens().begin(), generation.tokens().end()); }

  int told = 0;
  bool done = false;
  size_t cancels_at = 0;  // tokens; 0: never
  Generation generation;
};

// Requests for tokens of model "chain" after a prompt of two.
class GenerationFixture : public ServeFixture {
 protected:
  explicit GenerationFixture(const ActiveSet::Options& queue = {}) : ServeFixture(queue) {
    request_.model = "chain";
    request_.prompt = prompt_;
    request_.max_tokens = 6;
  }

  // Runs request_ to its end.
  absl::Status Generate(absl::Time deadline = absl::InfiniteFuture()) {
    hearer_ = std::make_unique<Hearer>(&context_);
    hearer_->generation.Start(request_, now_, deadline);
    RunUntilIdle();
    EXPECT_TRUE(hearer_->done);
    EXPECT_EQ(in_flight(), 0);
    EXPECT_EQ(budget_.steps(), 0u);
    if (!hearer_->generation.status().ok()) {
      EXPECT_EQ(budget_.bytes(), 0u);
    }
    return hearer_->generation.status();
  }
  void ExpectInvalid(absl::string_view text) {
    const absl::Status status = Generate();
    ExpectRefused(status, Why::kInvalid, "invalid", absl::StatusCode::kInvalidArgument, 0);
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(std::string(text)));
  }
  // The output after the tokens, as Predict answers it.
  std::vector<float> OutputAfter(const Tokens& tokens) {
    const std::vector<float> values(tokens.begin(), tokens.end());
    RequestView request = RequestOf("chain");
    request.last_only = true;
    EXPECT_TRUE(Run(Of("", std::nullopt, values), request).status.ok());
    return last_values_;
  }
  // Makes the session of the model, and runs the tokens through it.
  void Feed(absl::string_view session, const Tokens& tokens, absl::string_view model = "chain") {
    const std::vector<float> values(tokens.begin(), tokens.end());
    EXPECT_TRUE(Run(Of(session, 0, values), RequestOf(model)).status.ok());
  }

  const Tokens prompt_ = {0, 1};
  GenerateView request_;
  std::unique_ptr<Hearer> hearer_;  // of the last Generate
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_SERVE_GENERATION_FIXTURE_H_
