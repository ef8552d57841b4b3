#include "client/retry.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/numbers.h"

namespace rondo {

std::optional<absl::Duration> RetryDelay(const ClientOptions& options, const FailedTry& failed, double jitter) {
  if (failed.number >= options.max_attempts) return std::nullopt;
  // RESOURCE_EXHAUSTED without a pushback is not a full queue but a limit, such as a message's size: it stays.
  const bool unavailable = failed.code == absl::StatusCode::kUnavailable;
  if (!unavailable && failed.code != absl::StatusCode::kResourceExhausted) return std::nullopt;
  if (failed.pushback.has_value()) {
    int64_t milliseconds = 0;
    if (!absl::SimpleAtoi(*failed.pushback, &milliseconds) || milliseconds < 0) return std::nullopt;
    return absl::Milliseconds(milliseconds);
  }
  if (!unavailable || !failed.repeatable) return std::nullopt;
  const absl::Duration backoff =
      std::min(options.initial_backoff * std::ldexp(1.0, failed.number - 1), options.max_backoff);
  return backoff * (1 - jitter / 2);
}

}  // namespace rondo
