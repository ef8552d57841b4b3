#include "client/retry.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/numbers.h"

namespace rondo {

namespace {

// Nobody answered, or not this server: another try may meet another one.
bool IsAway(const FailedTry& failed) {
  switch (failed.code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
      return true;
    case absl::StatusCode::kCancelled:  // the way gRPC resets a call that comes while its server shuts down
      return failed.repeat == Repeat::kUntilDeadline;
    default:
      return false;
  }
}

}  // namespace

std::optional<absl::Duration> RetryDelay(const ClientOptions& options, const FailedTry& failed, double jitter) {
  const bool away = IsAway(failed);
  const bool waits = away && failed.repeat == Repeat::kUntilDeadline && options.max_attempts > 1;
  if (failed.number >= options.max_attempts && !waits) return std::nullopt;
  // RESOURCE_EXHAUSTED without a pushback is not a full queue but a limit, such as a message's size: it stays.
  if (!away && failed.code != absl::StatusCode::kResourceExhausted) return std::nullopt;
  if (failed.pushback.has_value()) {
    int64_t milliseconds = 0;
    if (!absl::SimpleAtoi(*failed.pushback, &milliseconds) || milliseconds < 0) return std::nullopt;
    return absl::Milliseconds(milliseconds);
  }
  if (!away || failed.repeat == Repeat::kUnsafe) return std::nullopt;
  const absl::Duration backoff =
      std::min(options.initial_backoff * std::ldexp(1.0, std::min(failed.number - 1, 30)), options.max_backoff);
  return backoff * (1 - jitter / 2);
}

}  // namespace rondo
