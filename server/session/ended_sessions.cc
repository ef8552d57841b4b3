#include "server/session/ended_sessions.h"

namespace rondo {

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
