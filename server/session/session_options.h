#ifndef RONDO_SERVER_SESSION_SESSION_OPTIONS_H_
#define RONDO_SERVER_SESSION_SESSION_OPTIONS_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/steady_time.h"
#include "server/metrics/metrics.h"
#include "server/metrics/served_model.h"
#include "server/store/session_record.h"
#include "server/store/session_store.h"

namespace rondo {

// The limits of a session table.
struct SessionOptions {
  size_t max_sessions = 1'000'000;                  // 1..2^31; the cap of live sessions
  absl::Duration idle_timeout = absl::Minutes(10);  // default of a session; InfiniteDuration: never
  // A session lives through at least so many steps of its model without a request, whatever idle_timeout says; a client
  // may ask for less. 0: idle_timeout alone holds.
  int64_t idle_steps = 10;
  absl::Duration max_idle_timeout = absl::Hours(24 * 7);   // what a client may ask for; InfiniteDuration: anything
  absl::Duration max_lifetime = absl::InfiniteDuration();  // then a session ends, used or not
  // A session that has been idle for so long ends where a new one finds no place. Read without a store only.
  absl::Duration abandoned_after = absl::InfiniteDuration();
  size_t max_queue_per_session = 64;  // requests waiting for one session; 0: none may wait
  size_t max_ended = 100'000;         // ended ids whose reason is remembered; 0: none
  // Counts a session of a tenant with a name that enters memory (1) or leaves it (-1). RESOURCE_EXHAUSTED: it must not
  // enter. Null: nobody counts. Called under a lock.
  std::function<absl::Status(absl::string_view tenant, int change)> count;
  // Tells the longest life of a tenant's sessions; the shorter of it and max_lifetime holds. Null: max_lifetime holds
  // for all. Called under a lock.
  std::function<absl::Duration(absl::string_view tenant)> max_lifetime_of;
};

// Says when a session is in the store.
enum class Durability {
  kInterval,    // soon after each change, at most SessionPersistence::sync_interval later
  kEveryReply,  // before its change is answered
};

// How the sessions of a table outlive the table.
struct SessionPersistence {
  std::unique_ptr<SessionStore> store;  // null: they do not, and nothing else here means anything
  Durability durability = Durability::kInterval;
  absl::Duration sync_interval = absl::Seconds(1);  // > 0
  // So many sessions are in memory; beyond that number the coldest stay in the store only. There are more only while
  // they are in use or not saved yet, and usually fewer, as a sixteenth of the room is kept free.
  size_t max_resident = 1'000'000;
  // For so long at least the store knows why a session ended. It knows longer if the session's idle timeout is longer:
  // until then another server may hold a copy of the session that knows nothing of the end.
  absl::Duration ended_kept = absl::Hours(1);
  // Finds the live model that goes on with a state of the recorded one. Any error: there is none, and why.
  std::function<absl::StatusOr<ServedModelPtr>(const RecordedModel&)> find_model;
  Metrics* metrics = nullptr;
  // How far the wall clock, by which records tell when a session was last used, is ahead of SteadyNow.
  std::function<absl::Duration()> wall_ahead = WallAhead;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_OPTIONS_H_
