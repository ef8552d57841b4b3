#include "server/serve/position_refusals.h"

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"

namespace rondo {

absl::Status WrongPosition(absl::string_view session_id, const SessionLease& session, int64_t position) {
  return Refuse(Why::kPosition,
                absl::StrCat("session '", session_id, "' expects position ", session.position(),
                             "; the request starts at ", position),
                session.position());
}

absl::Status WentBack(absl::string_view session_id, const SessionLease& session) {
  return Refuse(Why::kWentBack,
                absl::StrCat("session '", session_id, "' went back to position ", session.position(),
                             ": the server that had it ended without saving what came after; "
                             "the same request again goes on from there"),
                session.position());
}

bool HearsAnswer(absl::Time asked, absl::Time deadline, absl::Time now) {
  return now - asked <= (deadline - asked) / 2;
}

}  // namespace rondo
