#include "client/retry.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace rondo {

namespace {

// True if nobody answered, or a server that another one has taken the session from: another try may meet that one.
bool WentUnserved(const FailedTry& failed) {
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

// Reads the server's advice; nothing if it says not to come back. So does a number of more than ten digits: no clock
// waits that long.
std::optional<absl::Duration> PushbackDelay(absl::string_view text) {
  int64_t milliseconds = 0;
  const bool is_number = text.size() <= 10 && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (!is_number || !absl::SimpleAtoi(text, &milliseconds)) return std::nullopt;
  return absl::Milliseconds(milliseconds);
}

}  // namespace

std::optional<absl::Duration> RetryDelay(const ClientOptions& options, const FailedTry& failed, double jitter) {
  const bool unserved = WentUnserved(failed);
  const bool waits = unserved && failed.repeat == Repeat::kUntilDeadline && options.max_attempts > 1;
  if (failed.number >= options.max_attempts && !waits) return std::nullopt;
  // RESOURCE_EXHAUSTED without a pushback is not a full queue but a limit, such as a message's size: it stays.
  if (!unserved && failed.code != absl::StatusCode::kResourceExhausted) return std::nullopt;
  if (failed.pushback.has_value()) return PushbackDelay(*failed.pushback);
  if (!unserved || failed.repeat == Repeat::kUnsafe) return std::nullopt;
  const absl::Duration backoff =
      std::min(options.initial_backoff * std::ldexp(1.0, std::min(failed.number - 1, 30)), options.max_backoff);
  return backoff * (1 - jitter / 2);
}

}  // namespace rondo
