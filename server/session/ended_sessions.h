#ifndef RONDO_SERVER_SESSION_ENDED_SESSIONS_H_
#define RONDO_SERVER_SESSION_ENDED_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace rondo {

// Why a session is no more.
struct SessionEnd {
  enum class Cause { kDeleted, kEndedByRequest, kIdle };
  Cause cause = Cause::kDeleted;
  absl::Duration idle;  // kIdle: for how long it had been
};

inline constexpr SessionEnd kEndedByRequest{SessionEnd::Cause::kEndedByRequest, absl::ZeroDuration()};

// Why, in words that go on "session 'x' ended: ".
std::string ReasonOf(const SessionEnd& end);
// NOT_FOUND that says why session `id` ended.
absl::Status EndedError(absl::string_view id, const SessionEnd& end);
absl::Status EndedError(absl::string_view id, absl::string_view reason);

// NOT_FOUND: nobody knows of a session `id`, nor that there was one. Its next position is 0, as a client may begin it.
absl::Status UnknownSessionError(absl::string_view id);

// The last `capacity` sessions that ended, and why. An id that ends again counts as the newest.
//
// Threads: every method may be called from any thread.
class EndedSessions {
 public:
  explicit EndedSessions(size_t capacity) : capacity_(capacity) {}

  void Record(absl::string_view id, const SessionEnd& end);
  // NOT_FOUND, always: why `id` ended, or that it is unknown.
  absl::Status Explain(absl::string_view id) const;

 private:
  struct Entry {
    std::string id;
    SessionEnd end;
  };

  const size_t capacity_;
  mutable Mutex mutex_;
  std::deque<Entry> ring_ ABSL_GUARDED_BY(mutex_);  // a deque: entries stay where they are
  size_t oldest_ ABSL_GUARDED_BY(mutex_) = 0;       // the next to be overwritten once the ring is full
  // The newest entry of each id. The keys point into the entries.
  absl::flat_hash_map<absl::string_view, const Entry*> newest_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_ENDED_SESSIONS_H_
