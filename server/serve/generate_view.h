#ifndef RONDO_SERVER_SERVE_GENERATE_VIEW_H_
#define RONDO_SERVER_SERVE_GENERATE_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/serve/initial_state.h"

namespace rondo {

// How the next token is taken from the probabilities of all: see TokenSampler.
struct SamplingRules {
  double temperature = 1;         // 0: always the most probable token
  int64_t top_k = 0;              // only the so many most probable tokens; 0: all
  double top_p = 1;               // only the most probable tokens whose probabilities reach this sum, inside (0, 1]
  double repetition_penalty = 1;  // >= 1; what a token's probability is raised to once it has been there
  uint64_t seed = 0;              // 0: a random one
};

// The tokens that an owner sends in one message at most.
inline constexpr int64_t kMaxTokensPerMessage = 1024;

// A request for tokens. It borrows all that it points to.
struct GenerateView {
  absl::string_view model;
  int64_t version = 0;               // 0: the session's own, else the newest
  absl::string_view session_id;      // whose state the tokens follow; empty: a zero state
  std::optional<int64_t> position;   // of the first timestep, if the session moves; absent: whatever comes next
  absl::Span<const int32_t> prompt;  // tokens that run first
  absl::string_view prompt_text;     // likewise, as text; only one of both is given
  bool move_session = false;         // the session takes the prompt and every token that is generated
  bool must_exist = false;           // position 0 creates no session
  int64_t max_tokens = 0;
  SamplingRules sampling;
  absl::Span<const int32_t> stop_tokens;           // the first of these that is generated is the last token
  absl::Span<const absl::string_view> stop_texts;  // likewise, each the text of one token
  int64_t tokens_per_message = 1;                  // that the owner gathers before it sends them
  std::optional<InitialStateView> initial_state;   // that the tokens follow, without a session
  int64_t num_beams = 0;                           // 2 or more: a beam search, see Beams; nothing is sampled
  double length_penalty = 0;                       // of a beam search
};

// What the tokens and texts of a request are to its model.
struct RequestTokens {
  std::vector<int32_t> prompt;
  std::vector<int32_t> stops;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_GENERATE_VIEW_H_
