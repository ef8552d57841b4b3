#include "server/serve/token_sampler.h"

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

const std::vector<float> kProbabilities = {0.1f, 0.4f, 0.2f, 0.3f};

// The share of each token in many samples.
std::array<double, 4> Shares(const SamplingRules& rules, std::initializer_list<size_t> seen = {},
                             const std::vector<float>& probabilities = kProbabilities) {
  constexpr int kSamples = 20'000;
  TokenSampler sampler(rules, probabilities.size());
  for (const size_t token : seen) sampler.Seen(token);
  std::array<double, 4> shares{};
  for (int i = 0; i < kSamples; ++i) shares[sampler.Choose(probabilities, i)] += 1;
  for (double& share : shares) share /= kSamples;
  return shares;
}

void ExpectShares(const std::array<double, 4>& shares, const std::array<double, 4>& wanted) {
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(shares[i], wanted[i], 0.015) << i;
}

TEST(TokenSamplerTest, TakesTokensAsOftenAsTheyAreProbable) {
  SamplingRules rules;
  rules.seed = 5;
  ExpectShares(Shares(rules), {0.1, 0.4, 0.2, 0.3});
}

TEST(TokenSamplerTest, ATemperatureSharpensOrFlattens) {
  SamplingRules rules;
  rules.temperature = 0.5;  // squares
  ExpectShares(Shares(rules), {0.01 / 0.3, 0.16 / 0.3, 0.04 / 0.3, 0.09 / 0.3});
  rules.temperature = 100;
  ExpectShares(Shares(rules), {0.25, 0.25, 0.25, 0.25});
}

TEST(TokenSamplerTest, AtTemperatureZeroItTakesTheMostProbableAndOfEqualsTheFirst) {
  SamplingRules rules;
  rules.temperature = 0;
  EXPECT_EQ(Shares(rules)[1], 1);
  EXPECT_EQ(Shares(rules, {}, {0.1f, 0.45f, 0.45f, 0})[1], 1);
}

TEST(TokenSamplerTest, TopKKeepsTheMostProbable) {
  SamplingRules rules;
  rules.top_k = 2;
  ExpectShares(Shares(rules), {0, 0.4 / 0.7, 0, 0.3 / 0.7});
  rules.top_k = 4;
  ExpectShares(Shares(rules), {0.1, 0.4, 0.2, 0.3});
  rules.top_k = std::numeric_limits<int64_t>::max();
  ExpectShares(Shares(rules), {0.1, 0.4, 0.2, 0.3});
  rules.top_k = 1;
  EXPECT_EQ(Shares(rules, {}, {0.25f, 0.25f, 0.25f, 0.25f})[0], 1);
}

TEST(TokenSamplerTest, TopPKeepsTheFewestThatReachTheSum) {
  SamplingRules rules;
  rules.top_p = 0.65;
  ExpectShares(Shares(rules), {0, 0.4 / 0.7, 0, 0.3 / 0.7});
  rules.top_p = 0.75;
  ExpectShares(Shares(rules), {0, 0.4 / 0.9, 0.2 / 0.9, 0.3 / 0.9});
  rules.top_p = 1e-9;
  EXPECT_EQ(Shares(rules)[1], 1);
  rules.top_p = 0.5;  // of the 0.7 that top_k leaves
  rules.top_k = 2;
  EXPECT_EQ(Shares(rules)[1], 1);
}

TEST(TokenSamplerTest, ARepeatedTokenIsPenalised) {
  SamplingRules rules;
  rules.repetition_penalty = 2;
  ExpectShares(Shares(rules, {1}), {0.1 / 0.76, 0.16 / 0.76, 0.2 / 0.76, 0.3 / 0.76});
  rules.temperature = 0;
  EXPECT_EQ(Shares(rules, {1})[3], 1);
}

TEST(TokenSamplerTest, ATokenWithoutProbabilityIsNeverTaken) {
  for (const double temperature : {0.01, 0.5, 1.0, 100.0}) {
    for (const int64_t top_k : {0, 3}) {
      SamplingRules rules;
      rules.temperature = temperature;
      rules.top_k = top_k;
      rules.repetition_penalty = 1.5;
      const auto shares = Shares(rules, {0, 2}, {0, 0.5f, 0, 0.5f});
      EXPECT_EQ(shares[0] + shares[2], 0) << temperature << " " << top_k;
    }
  }
}

TEST(TokenSamplerTest, TheSeedAndThePositionDecideAlone) {
  SamplingRules rules;
  rules.seed = 9;
  TokenSampler one(rules, 4), other(rules, 4);
  std::vector<size_t> forth, back;
  for (int i = 0; i < 100; ++i) forth.push_back(one.Choose(kProbabilities, i));
  for (int i = 99; i >= 0; --i) back.insert(back.begin(), other.Choose(kProbabilities, i));
  EXPECT_EQ(forth, back);
  rules.seed = 10;
  TokenSampler third(rules, 4);
  std::vector<size_t> others;
  for (int i = 0; i < 100; ++i) others.push_back(third.Choose(kProbabilities, i));
  EXPECT_NE(others, forth);
}

TEST(TokenSamplerTest, RulesOutOfTheirBoundsAreRefused) {
  const auto refusal = [](void (*change)(SamplingRules*)) {
    SamplingRules rules;
    change(&rules);
    return std::string(CheckSampling(rules).message());
  };
  EXPECT_EQ(refusal([](SamplingRules*) {}), "");
  EXPECT_THAT(refusal([](SamplingRules* r) { r->temperature = -1; }), HasSubstr("temperature is -1; wanted 0 to 100"));
  EXPECT_THAT(refusal([](SamplingRules* r) { r->temperature = std::nan(""); }), HasSubstr("temperature is nan"));
  EXPECT_THAT(refusal([](SamplingRules* r) { r->top_k = -2; }), HasSubstr("top_k is -2"));
  EXPECT_THAT(refusal([](SamplingRules* r) { r->top_p = 1.5; }), HasSubstr("top_p is 1.5"));
  EXPECT_THAT(refusal([](SamplingRules* r) { r->top_p = 0; }), HasSubstr("top_p is 0"));
  EXPECT_THAT(refusal([](SamplingRules* r) { r->repetition_penalty = 0.5; }),
              HasSubstr("repetition_penalty is 0.5; wanted 1 to 100"));
}

}  // namespace
}  // namespace rondo
