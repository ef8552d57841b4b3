#include "server/session/session_errors.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"
#include "server/session/session_id.h"

namespace rondo {
namespace {

std::string IdleText(absl::Duration idle) {
  if (idle < absl::Seconds(1)) return absl::StrCat("idle for ", absl::ToInt64Milliseconds(idle), " ms");
  return absl::StrCat("idle for ", absl::ToInt64Seconds(idle), " s");
}

}  // namespace

std::string ReasonOf(const SessionEnd& end) {
  switch (end.cause) {
    case SessionEnd::Cause::kDeleted:
      return "deleted by its owner";
    case SessionEnd::Cause::kEndedByRequest:
      return "ended by its owner";
    case SessionEnd::Cause::kWithStream:
      return "ended with its stream";
    case SessionEnd::Cause::kLifetime:
      return "it has lived for as long as it may";
    case SessionEnd::Cause::kAbandoned:
      return absl::StrCat(IdleText(end.idle), ", and another session needed its place");
    case SessionEnd::Cause::kIdle:
      break;
  }
  return IdleText(end.idle);
}

absl::Status EndedError(absl::string_view id, const SessionEnd& end) { return EndedError(id, ReasonOf(end)); }

absl::Status EndedError(absl::string_view id, absl::string_view reason) {
  return Refuse(Why::kNotFound, absl::StrCat("session '", IdIn(id), "' ended: ", reason));
}

absl::Status UnknownSessionError(absl::string_view id) {
  return Refuse(Why::kNotFound, absl::StrCat("no session '", IdIn(id), "'"), /*next_position=*/0);
}

absl::Status MovedError(absl::string_view id) {
  return Refuse(Why::kMoved, absl::StrCat("session '", IdIn(id),
                                          "' has moved to another server; a retry here takes it back as it is there"));
}

absl::Status StoreRefusal(absl::Status answer) {
  if (answer.ok()) return answer;
  const Why why = absl::IsAborted(answer)             ? Why::kMoved
                  : absl::IsResourceExhausted(answer) ? Why::kStoreFull
                                                      : Why::kStore;
  return WithWhy(why, std::move(answer));
}

}  // namespace rondo
