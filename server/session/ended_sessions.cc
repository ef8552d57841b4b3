#include "server/session/ended_sessions.h"

#include <algorithm>

namespace rondo {

void EndedSessions::Record(absl::string_view id, const SessionEnd& end) {
  if (capacity_ == 0) return;
  MutexLock lock(&mutex_);
  Entry* entry = nullptr;
  if (ring_.size() < capacity_) {
    entry = &ring_.emplace_back();
  } else {
    entry = &ring_[count_ % capacity_];
    const auto forgotten = newest_.find(entry->id);
    if (forgotten != newest_.end() && forgotten->second == entry) newest_.erase(forgotten);
  }
  newest_.erase(id);  // an older end of the same id: its key points into the older entry
  entry->id.assign(id.data(), id.size());
  entry->end = end;
  newest_.emplace(entry->id, entry);
  ++count_;
}

uint64_t EndedSessions::count() const {
  MutexLock lock(&mutex_);
  return count_;
}

bool EndedSessions::VisitSince(uint64_t* seen, size_t most,
                               absl::FunctionRef<void(absl::string_view id, const SessionEnd& end)> visit) const {
  MutexLock lock(&mutex_);
  if (count_ > capacity_) *seen = std::max(*seen, count_ - capacity_);
  for (; most > 0 && *seen < count_; --most, ++*seen) {
    const Entry& entry = ring_[*seen % capacity_];
    visit(entry.id, entry.end);
  }
  return *seen < count_;
}

absl::Status EndedSessions::Explain(absl::string_view id) const {
  MutexLock lock(&mutex_);
  const auto found = newest_.find(id);
  if (found == newest_.end()) return UnknownSessionError(id);
  return EndedError(id, found->second->end);
}

}  // namespace rondo
