#ifndef RONDO_SERVER_SESSION_SESSION_PLACES_H_
#define RONDO_SERVER_SESSION_SESSION_PLACES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/session/live_session.h"
#include "server/session/session_options.h"

namespace rondo {

// Counts the sessions in memory, and says of a new one whether there is a place for it: its tenant's, and the server's.
//
// Threads: every method may be called from any thread.
class SessionPlaces {
 public:
  // `options` outlives this.
  explicit SessionPlaces(const SessionOptions& options) : options_(options) {}

  // Takes a place of those of the tenant in `name`. RESOURCE_EXHAUSTED: the tenant has none left.
  absl::Status TakeOfTenant(absl::string_view name) const { return CountForTenant(name, 1); }
  // Takes a place of the server's for a session that has one of its tenant's. RESOURCE_EXHAUSTED: max_sessions, and
  // when a place is likely; the tenant's place is given back.
  absl::Status TakeOfServer(absl::string_view name, absl::Time now);
  // Gives both places of a session back.
  void GiveBack(absl::string_view name);

  // How many of the server's are taken.
  size_t taken() const { return taken_.load(std::memory_order_relaxed); }

  // Notes when the next session may end by itself, in nanoseconds as LiveSession has them; kForever: none will.
  void NoteSoonestExpiry(int64_t soonest_ns) { soonest_expiry_ns_.store(soonest_ns, std::memory_order_relaxed); }

 private:
  absl::Status CountForTenant(absl::string_view name, int change) const;

  const SessionOptions& options_;
  std::atomic<size_t> taken_{0};
  std::atomic<int64_t> soonest_expiry_ns_{LiveSession::kForever};
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_PLACES_H_
