#ifndef RONDO_CLIENT_RETRY_H_
#define RONDO_CLIENT_RETRY_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/client_options.h"

namespace rondo {

// Says whether a second run of a call changes more than the first one did.
enum class Repeat {
  kUnsafe,
  kSafe,
  kUntilDeadline,  // safe, and worth waiting for: the server may restart, or hand the session over to another one
};

// A try that failed.
struct FailedTry {
  int number = 1;                                          // 1: the first one
  absl::StatusCode code = absl::StatusCode::kUnavailable;  // as it came
  Repeat repeat = Repeat::kUnsafe;
  // The trailer grpc-retry-pushback-ms (gRPC proposal A6): the server did not run the call and says when to come back;
  // negative or not a number: do not come back.
  std::optional<absl::string_view> pushback;
};

// How long to wait before the next try, or nothing to give up; the deadline is the caller's affair. `jitter` in [0, 1):
// the share of the backoff's random half that is taken off; it spreads clients that failed together. A pushback is
// waited in full.
std::optional<absl::Duration> RetryDelay(const ClientOptions& options, const FailedTry& failed, double jitter);

}  // namespace rondo

#endif  // RONDO_CLIENT_RETRY_H_
