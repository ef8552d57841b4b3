#include "server/serve/beams.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "gmock/gmock.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Tokens = std::vector<int32_t>;
// The probability of each token after those that are given.
using Language = std::function<std::vector<float>(const Tokens&)>;

std::vector<FoundSequence> Search(const BeamRules& rules, size_t tokens, const Language& language, size_t* steps) {
  Beams beams(rules, tokens);
  std::vector<Tokens> texts(1);
  for (*steps = 0; !beams.live().empty(); ++*steps) {
    std::vector<std::vector<float>> rows;
    for (const Tokens& text : texts) rows.push_back(language(text));
    beams.Grow(std::vector<absl::Span<const float>>(rows.begin(), rows.end()));
    std::vector<Tokens> grown;
    for (const Beams::Live& live : beams.live()) {
      grown.push_back(texts[live.parent]);
      grown.back().push_back(live.token);
    }
    texts = grown;
  }
  return {beams.found().begin(), beams.found().end()};
}

// Probabilities that depend on the whole text, never on who asks.
Language RandomLanguage(size_t tokens) {
  return [tokens](const Tokens& text) {
    std::seed_seq seed(text.begin(), text.end());
    std::mt19937 random(seed);
    std::vector<float> row(tokens);
    for (float& value : row) value = std::exponential_distribution<float>()(random);
    float total = 0;
    for (const float value : row) total += value;
    for (float& value : row) value /= total;
    return row;
  };
}

// Every sequence that ends in the stop token 0 or has max_tokens, the best one first.
void AddAll(const Language& language, const BeamRules& rules, size_t tokens, const Tokens& text, double log_probability,
            std::vector<FoundSequence>* all) {
  const std::vector<float> row = language(text);
  for (size_t token = 0; token < tokens; ++token) {
    Tokens longer = text;
    longer.push_back(static_cast<int32_t>(token));
    const double sum = log_probability + std::log(static_cast<double>(row[token]));
    const bool stopped = token == 0;
    if (!stopped && longer.size() < rules.max_tokens) {
      AddAll(language, rules, tokens, longer, sum, all);
      continue;
    }
    all->push_back({longer, sum, sum / std::pow(static_cast<double>(longer.size()), rules.length_penalty), stopped});
  }
}

TEST(BeamsTest, OneThatIsWideEnoughFindsTheBestOfAll) {
  constexpr size_t kTokens = 3;
  for (const double penalty : {0.0, 0.5, 1.0, 2.0}) {
    const BeamRules rules{81, 4, penalty, {0}};  // 81: as many sequences as there are at most
    size_t steps = 0;
    const std::vector<FoundSequence> found = Search(rules, kTokens, RandomLanguage(kTokens), &steps);
    std::vector<FoundSequence> all;
    AddAll(RandomLanguage(kTokens), rules, kTokens, {}, 0, &all);
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    ASSERT_THAT(found, SizeIs(all.size()));
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(found[i].tokens, all[i].tokens);
      EXPECT_NEAR(found[i].log_probability, all[i].log_probability, 1e-9);
      EXPECT_NEAR(found[i].score, all[i].score, 1e-9);
      EXPECT_EQ(found[i].stopped, all[i].stopped);
    }
  }
}

TEST(BeamsTest, ANarrowOneKeepsTheBestAtEachStep) {
  // "1" is more probable than "2", but "2 2" more than anything that begins with "1".
  const Language language = [](const Tokens& text) -> std::vector<float> {
    if (text.empty()) return {0, 0.6f, 0.4f};
    if (text.size() == 1 && text[0] == 1) return {0, 0.5f, 0.5f};
    return {0, 0.1f, 0.9f};
  };
  size_t steps = 0;
  EXPECT_THAT(Search({1, 2, 0, {}}, 3, language, &steps)[0].tokens, ElementsAre(1, 1));
  const std::vector<FoundSequence> found = Search({2, 2, 0, {}}, 3, language, &steps);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].tokens, ElementsAre(2, 2));
  EXPECT_NEAR(found[0].log_probability, std::log(0.36), 1e-6);
  EXPECT_THAT(found[1].tokens, ElementsAre(1, 1));  // among equals the lower token
  EXPECT_FALSE(found[0].stopped);
}

TEST(BeamsTest, WhatEndsMakesRoomAndTheOthersGoOn) {
  const Language language = [](const Tokens&) -> std::vector<float> { return {0.5f, 0.3f, 0.2f}; };
  size_t steps = 0;
  const std::vector<FoundSequence> found = Search({2, 3, 0, {0}}, 3, language, &steps);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].tokens, ElementsAre(0));
  EXPECT_THAT(found[1].tokens, ElementsAre(1, 0));
  EXPECT_EQ(steps, 2u);  // nothing longer can be more probable
}

TEST(BeamsTest, ALengthPenaltyLetsALongerOneWin) {
  const Language language = [](const Tokens&) -> std::vector<float> { return {0.3f, 0.7f}; };
  size_t steps = 0;
  EXPECT_THAT(Search({2, 8, 0, {0}}, 2, language, &steps)[0].tokens, ElementsAre(0));
  EXPECT_THAT(Search({2, 8, 1, {0}}, 2, language, &steps)[0].tokens, SizeIs(8));
  EXPECT_EQ(steps, 8u);
}

TEST(BeamsTest, KnowsHowManyStepsMayFollow) {
  Beams beams({2, 3, 0, {}}, 2);
  EXPECT_EQ(beams.steps_after_next(), 2u);
  const std::vector<float> row = {0.75f, 0.25f};
  beams.Grow(std::vector<absl::Span<const float>>{row});
  EXPECT_EQ(beams.steps_after_next(), 1u);
}

TEST(BeamsTest, WhatIsImpossibleIsNeverTaken) {
  const Language language = [](const Tokens&) -> std::vector<float> { return {0, 1, 0}; };
  size_t steps = 0;
  const std::vector<FoundSequence> found = Search({3, 2, 0, {0}}, 3, language, &steps);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].tokens, ElementsAre(1, 1));
  EXPECT_THAT(Search(
                  {3, 2, 0, {0}}, 1, [](const Tokens&) { return std::vector<float>{0}; }, &steps),
              IsEmpty());
}

}  // namespace
}  // namespace rondo
