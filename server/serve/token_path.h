#ifndef RONDO_SERVER_SERVE_TOKEN_PATH_H_
#define RONDO_SERVER_SERVE_TOKEN_PATH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "server/serve/feedback_path.h"
#include "server/serve/generate_view.h"
#include "server/serve/token_sampler.h"

namespace rondo {

// A sequence of tokens: those of a prompt, then those that are sampled from what came before.
//
// Threads: the loop's own.
class TokenPath : public FeedbackPath {
 public:
  class Owner : public FeedbackPath::Owner {
   public:
    // There is one more token. Not called of a token that is there before Start.
    virtual void OnToken() = 0;
  };

  // `lease`: a stateless one with the state to start from, or that of a session, which takes every token. `given`: the
  // output before the first timestep, [output_size]; needed if there is no prompt. `position`: of the first timestep.
  // `wanted` is borrowed. Throws std::bad_alloc.
  TokenPath(SessionLease lease, const RequestTokens* wanted, absl::Span<const float> given, int64_t position,
            const GenerateView& request, Owner* owner);

  // The tokens that have been generated so far.
  absl::Span<const int32_t> tokens() const { return tokens_; }
  // Tells whether the last one of them is a stop token.
  bool stopped() const { return stopped_; }

 private:
  void TakeOutput(size_t timestep, bool last) override;
  // Takes the next token from the probabilities that `output` is, for the timestep of that index.
  void Sample(absl::Span<const float> output, size_t timestep);
  bool complete() const { return stopped_ || tokens_.size() == max_tokens_; }

  const std::vector<int32_t>& prompt_;
  const std::vector<int32_t>& stop_tokens_;
  const size_t max_tokens_;
  const int64_t position_;
  const bool moves_;
  Owner* const owner_;
  TokenSampler sampler_;
  std::vector<int32_t> tokens_;
  bool stopped_ = false;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_TOKEN_PATH_H_
