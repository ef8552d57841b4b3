#ifndef RONDO_SERVER_SESSION_NEW_SESSION_H_
#define RONDO_SERVER_SESSION_NEW_SESSION_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/session/lease_end.h"
#include "server/session/session_options.h"
#include "server/session/session_shard.h"
#include "server/store/session_record.h"

namespace rondo {

// Returns how long a session of a model lives without a request, if nobody says otherwise.
absl::Duration IdleTimeoutOf(const SessionOptions& options, const ServedModel& model);

// Makes a session that has no model and no state yet.
std::unique_ptr<LiveSession> NewSession(const SessionOptions& options, const SessionKey& key,
                                        absl::Duration idle_timeout, absl::Time now);
// Puts a session that has none on the model and the state of `fresh`.
void StartAt(FreshStart fresh, LiveSession* session);

// Make what SessionTable::Create and SessionTable::Import enter. Errors as theirs that need no look at the table.
absl::StatusOr<std::unique_ptr<LiveSession>> MakeSession(absl::string_view id,
                                                         std::optional<absl::Duration> idle_timeout,
                                                         const SessionOptions& options, FreshStart fresh,
                                                         absl::Time now);
absl::StatusOr<std::unique_ptr<LiveSession>> MakeSession(const SessionRecord& record, const SessionOptions& options,
                                                         FreshStart fresh, absl::Time now);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_NEW_SESSION_H_
