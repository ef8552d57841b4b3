#ifndef RONDO_SERVER_SESSION_SESSION_VALUE_H_
#define RONDO_SERVER_SESSION_SESSION_VALUE_H_

#include "absl/status/status.h"
#include "model/model.h"
#include "server/session/live_session.h"
#include "server/store/session_record.h"

namespace rondo {

// Shows `session` as a value, where it lies, but for its time of last use, which is by SteadyNow. REQUIRES: the lock of
// the session's shard, and the lease or that nobody has it; both as long as the view is used.
SessionView ViewOf(const LiveSession& session);
// Copies the value that `view` shows.
SessionRecord RecordOf(const SessionView& view);

// Puts the session where `record` stands, but for its id, model and times. REQUIRES: the session is nobody else's yet,
// or the lock of its shard; its state has the record's size.
void GoOnFrom(const SessionRecord& record, LiveSession* session);

// FAILED_PRECONDITION: `record` is not of the model's cell and sizes, on which the meaning of a state depends.
absl::Status CheckShape(const SessionRecord& record, const Model& model);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_VALUE_H_
