#include "base/log_limiter.h"

#include <utility>

namespace rondo {

bool LogLimiter::Allow(absl::string_view key, absl::Time now, int64_t* skipped) {
  Entry& entry = EntryOf(key);
  if (now - entry.last < absl::Seconds(1)) {
    ++entry.skipped;
    return false;
  }
  entry.last = now;
  *skipped = std::exchange(entry.skipped, 0);
  return true;
}

LogLimiter::Entry& LogLimiter::EntryOf(absl::string_view key) {
  const auto found = entries_.find(key);
  if (found != entries_.end()) return found->second;
  if (entries_.size() >= kMaxKeys) return other_;
  return entries_[std::string(key)];
}

}  // namespace rondo
