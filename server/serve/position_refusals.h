#ifndef RONDO_SERVER_SERVE_POSITION_REFUSALS_H_
#define RONDO_SERVER_SERVE_POSITION_REFUSALS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/session/session_lease.h"

namespace rondo {

// The refusal of a request that starts at `position`, where the session does not stand.
absl::Status WrongPosition(absl::string_view session_id, const SessionLease& session, int64_t position);

// The refusal of a request that says no position, for a session that may be older than what was answered. It is said to
// every such request until one of them has heard it.
absl::Status WentBack(absl::string_view session_id, const SessionLease& session);

// Whether a client that is answered now is taken to hear it: there is at least half of the time left that it waits for,
// since an answer takes its own time to arrive, and who has given up asks again.
bool HearsAnswer(absl::Time asked, absl::Time deadline, absl::Time now);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_POSITION_REFUSALS_H_
