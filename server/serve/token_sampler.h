#ifndef RONDO_SERVER_SERVE_TOKEN_SAMPLER_H_
#define RONDO_SERVER_SERVE_TOKEN_SAMPLER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/serve/generate_view.h"

namespace rondo {

// INVALID_ARGUMENT: a rule is out of its bounds; what came and what was wanted.
absl::Status CheckSampling(const SamplingRules& rules);

// Takes a token by the probabilities of all. The rules apply in this order: each token that was Seen has its
// probability raised to the repetition penalty (Keskar et al., arXiv:1909.05858, on log probabilities), all are raised
// to 1 / temperature, then the most probable top_k are kept, and of those the fewest that reach top_p. Among equals the
// lower token counts as more probable.
//
// The random number is made of the seed and the position alone, so that tokens that are generated in several pieces are
// those that are generated at once.
//
// Threads: one at a time.
class TokenSampler {
 public:
  // Bytes that a sampler of so many tokens takes.
  static size_t BytesOf(size_t tokens) { return tokens * (sizeof(float) + sizeof(uint32_t) + 1); }

  // REQUIRES: CheckSampling(rules) is OK. Throws std::bad_alloc.
  TokenSampler(const SamplingRules& rules, size_t tokens);

  // The token stands in the text.
  void Seen(size_t token) { seen_[token] = true; }
  // `probabilities`: one a token, in no need to add up to 1. `position`: of the timestep that takes the token.
  size_t Choose(absl::Span<const float> probabilities, int64_t position);

 private:
  void Weigh(absl::Span<const float> probabilities);
  // A number in [0, 1).
  double Random(int64_t position) const;
  // The more probable of two tokens, or the lower one.
  bool IsBefore(uint32_t a, uint32_t b) const { return weights_[a] != weights_[b] ? weights_[a] > weights_[b] : a < b; }
  size_t ChooseOfAll(double random) const;
  size_t ChooseOfTop(double random);

  const SamplingRules rules_;
  std::vector<float> weights_;   // [tokens]
  std::vector<uint32_t> order_;  // [tokens]; empty unless only the most probable are kept
  std::vector<char> seen_;       // [tokens], bools
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_TOKEN_SAMPLER_H_
