#ifndef RONDO_SERVER_SERVE_POSITION_REFUSALS_H_
#define RONDO_SERVER_SERVE_POSITION_REFUSALS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/session/session_lease.h"

namespace rondo {

// The refusal of a request that starts at `position`, where the session does not stand.
absl::Status WrongPosition(absl::string_view session_id, const SessionLease& session, int64_t position);

// The refusal of a request that says no position, for a session that may be older than what was answered. Whoever sent
// it has been told by that.
absl::Status TellThatItWentBack(absl::string_view session_id, SessionLease* session);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_POSITION_REFUSALS_H_
