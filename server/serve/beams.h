#ifndef RONDO_SERVER_SERVE_BEAMS_H_
#define RONDO_SERVER_SERVE_BEAMS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace rondo {

struct BeamRules {
  size_t width = 1;           // sequences that grow side by side, and that are found
  size_t max_tokens = 1;      // of a sequence
  double length_penalty = 0;  // >= 0; see FoundSequence::score
  std::vector<int32_t> stops;
};

struct FoundSequence {
  std::vector<int32_t> tokens;
  double log_probability = 0;  // natural logarithm, of all tokens together
  double score = 0;            // log_probability / tokens ^ length_penalty; more is better
  bool stopped = false;        // the last token is a stop token
};

// The choices of a beam search. In each step every sequence that grows is compared with every token behind it, by the
// probability of the whole, among equals the earlier sequence, then the lower token. Of the best `width`, those that
// end with a stop token are found. The best `width` that do not grow on, until they have max_tokens: then they are
// found too. The `width` found ones with the best scores are kept; the search ends early once none that grows can come
// among them.
//
// Pure: no lock, thread or clock. Threads: one at a time.
class Beams {
 public:
  // One that grows: a sequence of the step before and a token behind it.
  struct Live {
    size_t parent = 0;  // its index among those that grew in the step before
    int32_t token = 0;
    double log_probability = 0;
    size_t node = 0;  // in nodes_
  };

  // Bytes that the choices over so many tokens take, about.
  static size_t BytesOf(const BeamRules& rules, size_t tokens) {
    return rules.width * rules.max_tokens * (sizeof(Node) + sizeof(int32_t)) + tokens;
  }

  // REQUIRES: every stop token is below `tokens`. Throws std::bad_alloc.
  Beams(BeamRules rules, size_t tokens);

  // Takes a step. `probabilities`: of each token behind each sequence of live(), [live][tokens]; at first one row, that
  // of what comes before all of them. Throws std::bad_alloc.
  void Grow(absl::Span<const absl::Span<const float>> probabilities);

  // The sequences that grow on, the most probable one first; empty: the search is over.
  absl::Span<const Live> live() const { return live_; }
  // Steps that may follow the next one. REQUIRES: the search is not over.
  size_t steps_after_next() const { return rules_.max_tokens - length_ - 1; }
  // What was found, the best sequence first. Called once the search is over.
  absl::Span<const FoundSequence> found() const { return found_; }

 private:
  struct Node {
    size_t before;
    int32_t token;
  };
  // The best of the candidates that it was offered.
  class Best;

  void AddFound(const Live& candidate, bool stopped);
  std::vector<int32_t> TokensOf(const Live& candidate) const;
  double ScoreOf(double log_probability, size_t tokens) const;

  const BeamRules rules_;
  std::vector<char> is_stop_;  // [tokens], bools
  size_t length_ = 0;          // tokens of those that grow
  std::vector<Live> live_;
  std::vector<Node> nodes_;  // the tokens of all that have grown, each with the one before it
  std::vector<FoundSequence> found_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_BEAMS_H_
