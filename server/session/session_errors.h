#ifndef RONDO_SERVER_SESSION_SESSION_ERRORS_H_
#define RONDO_SERVER_SESSION_SESSION_ERRORS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rondo {

// Why a session is no more.
struct SessionEnd {
  enum class Cause {
    kDeleted,
    kEndedByRequest,
    kWithStream,  // its client wanted it to end with a stream
    kIdle,
    kLifetime,   // it has lived for as long as it may
    kAbandoned,  // it was idle, and a new session needed its place
  };
  Cause cause = Cause::kDeleted;
  absl::Duration idle;  // kIdle, kAbandoned: for how long the session had been idle
};

inline constexpr SessionEnd kEndedByRequest{SessionEnd::Cause::kEndedByRequest, absl::ZeroDuration()};

// Says why the session ended, in words that complete "session 'x' ended: ".
std::string ReasonOf(const SessionEnd& end);

// NOT_FOUND: session `id` ended, and why.
absl::Status EndedError(absl::string_view id, const SessionEnd& end);
absl::Status EndedError(absl::string_view id, absl::string_view reason);

// NOT_FOUND: nobody knows of a session `id`, nor that there was one. Its next position is 0, as a client may begin it.
absl::Status UnknownSessionError(absl::string_view id);

// ABORTED: another server has session `id` now.
absl::Status MovedError(absl::string_view id);

// Says how a client is refused to whom the store's answer is passed on. OK stays OK.
absl::Status StoreRefusal(absl::Status answer);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_ERRORS_H_
