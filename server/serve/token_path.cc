#include "server/serve/token_path.h"

#include <algorithm>
#include <utility>

namespace rondo {

TokenPath::TokenPath(SessionLease lease, const RequestTokens* wanted, absl::Span<const float> given, int64_t position,
                     const GenerateView& request, Owner* owner)
    : FeedbackPath(std::move(lease), 0, owner),
      prompt_(wanted->prompt),
      stop_tokens_(wanted->stops),
      max_tokens_(static_cast<size_t>(request.max_tokens)),
      position_(position),
      moves_(request.move_session),
      owner_(owner),
      sampler_(request.sampling, static_cast<size_t>(spec().tokens)) {
  tokens_.reserve(max_tokens_);
  for (const int32_t token : prompt_) sampler_.Seen(static_cast<size_t>(token));
  if (prompt_.empty()) Sample(given, 0);
  *input() = static_cast<float>(prompt_.empty() ? tokens_.front() : prompt_.front());
  const size_t fed_back = complete() ? tokens_.size() : max_tokens_;
  SetTimesteps(prompt_.size() + fed_back - (moves_ ? 0 : 1));
}

void TokenPath::TakeOutput(size_t timestep, bool last) {
  const size_t next = timestep + 1;
  if (next < prompt_.size()) {
    *input() = static_cast<float>(prompt_[next]);
    return;
  }
  if (!complete()) {
    Sample(output(), next);
    owner_->OnToken();
    if (stopped_ && !last) SetTimesteps(next + (moves_ ? 1 : 0));
  }
  if (!last) *input() = static_cast<float>(tokens_.back());
}

void TokenPath::Sample(absl::Span<const float> output, size_t timestep) {
  const size_t token = sampler_.Choose(output, position_ + static_cast<int64_t>(timestep));
  sampler_.Seen(token);
  tokens_.push_back(static_cast<int32_t>(token));
  stopped_ = std::find(stop_tokens_.begin(), stop_tokens_.end(), tokens_.back()) != stop_tokens_.end();
}

}  // namespace rondo
