#include "server/store/backoff.h"

#include <algorithm>

namespace rondo {

Backoff::Backoff(absl::Duration first, absl::Duration longest) : first_(first), longest_(longest), delay_(first) {}

void Backoff::Failed(absl::Time now, double dice) {
  next_ = now + delay_ * (0.5 + dice / 2);
  delay_ = std::min(2 * delay_, longest_);
}

void Backoff::Succeeded() {
  delay_ = first_;
  next_ = absl::InfinitePast();
}

}  // namespace rondo
