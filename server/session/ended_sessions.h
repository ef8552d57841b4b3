#ifndef RONDO_SERVER_SESSION_ENDED_SESSIONS_H_
#define RONDO_SERVER_SESSION_ENDED_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "server/session/session_errors.h"

namespace rondo {

// Remembers the last `capacity` sessions that ended, and why. An id that ends again counts as the newest.
//
// Threads: every method may be called from any thread.
class EndedSessions {
 public:
  explicit EndedSessions(size_t capacity) : capacity_(capacity) {}

  void Record(absl::string_view id, const SessionEnd& end);
  // visit(id, end) for those that ended since *seen, the oldest first and at most `most`, and moves *seen. *seen begins
  // as count(). Those that are forgotten are left out. True: there are more. `visit` runs under a lock.
  bool VisitSince(uint64_t* seen, size_t most,
                  absl::FunctionRef<void(absl::string_view id, const SessionEnd& end)> visit) const;
  // How many have ended.
  uint64_t count() const;
  // Returns NOT_FOUND always: it says why `id` ended, or that `id` is unknown.
  absl::Status Explain(absl::string_view id) const;

 private:
  struct Entry {
    std::string id;
    SessionEnd end;
  };

  const size_t capacity_;
  mutable Mutex mutex_;
  std::deque<Entry> ring_ ABSL_GUARDED_BY(mutex_);  // a deque: entries stay where they are
  uint64_t count_ ABSL_GUARDED_BY(mutex_) = 0;      // so many have ended: the next one's place is count_ % capacity_
  // The newest entry of each id. The keys point into the entries.
  absl::flat_hash_map<absl::string_view, const Entry*> newest_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_ENDED_SESSIONS_H_
