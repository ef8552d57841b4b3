#include "server/session/ended_sessions.h"

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"

namespace rondo {

std::string ReasonOf(const SessionEnd& end) {
  switch (end.cause) {
    case SessionEnd::Cause::kDeleted:
      return "deleted by its owner";
    case SessionEnd::Cause::kEndedByRequest:
      return "ended by its owner";
    case SessionEnd::Cause::kIdle:
      break;
  }
  if (end.idle < absl::Seconds(1)) return absl::StrCat("idle for ", absl::ToInt64Milliseconds(end.idle), " ms");
  return absl::StrCat("idle for ", absl::ToInt64Seconds(end.idle), " s");
}

absl::Status EndedError(absl::string_view id, const SessionEnd& end) { return EndedError(id, ReasonOf(end)); }

absl::Status EndedError(absl::string_view id, absl::string_view reason) {
  return Refuse(Why::kNotFound, absl::StrCat("session '", id, "' ended: ", reason));
}

absl::Status UnknownSessionError(absl::string_view id) {
  return Refuse(Why::kNotFound, absl::StrCat("no session '", id, "'"), /*next_position=*/0);
}

void EndedSessions::Record(absl::string_view id, const SessionEnd& end) {
  if (capacity_ == 0) return;
  MutexLock lock(&mutex_);
  Entry* entry = nullptr;
  if (ring_.size() < capacity_) {
    entry = &ring_.emplace_back();
  } else {
    entry = &ring_[oldest_];
    oldest_ = (oldest_ + 1) % capacity_;
    const auto forgotten = newest_.find(entry->id);
    if (forgotten != newest_.end() && forgotten->second == entry) newest_.erase(forgotten);
  }
  newest_.erase(id);  // an older end of the same id: its key points into the older entry
  entry->id.assign(id.data(), id.size());
  entry->end = end;
  newest_.emplace(entry->id, entry);
}

absl::Status EndedSessions::Explain(absl::string_view id) const {
  MutexLock lock(&mutex_);
  const auto found = newest_.find(id);
  if (found == newest_.end()) return UnknownSessionError(id);
  return EndedError(id, found->second->end);
}

}  // namespace rondo
