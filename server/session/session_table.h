#ifndef RONDO_SERVER_SESSION_SESSION_TABLE_H_
#define RONDO_SERVER_SESSION_SESSION_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/served_model.h"
#include "server/session/session_lease.h"

namespace rondo {

// What there is to know of a session from outside.
struct SessionInfo {
  std::string id;
  std::string model;
  int64_t version = 0;
  int64_t position = 0;
  absl::Duration idle_timeout;  // InfiniteDuration: never ends for idleness
  absl::Duration idle;          // since its last request
};

// Gets a lease that was not free at once.
class LeaseWaiter {
 public:
  virtual ~LeaseWaiter() = default;
  // Called exactly once unless CancelWait returned true: the lease, or why the session ended meanwhile. Runs on the
  // thread that gave the lease up, with no lock held; must be quick and must not call the table.
  virtual void OnLease(absl::StatusOr<SessionLease> lease) = 0;
};

// Every live session: its state, its position, who may touch it and in which order.
//
// A session is touched by one lease at a time. Those who come meanwhile queue in the session's own FIFO, whatever
// thread they are on; a session with a lease or a queue never expires.
//
// Ownership: owns the sessions and their states; a SessionLease borrows one. The table outlives every lease.
// Threads:   every method may be called from any thread. Time is an argument: `now` never goes back by more than
// jitter. Errors:    returned; on error nothing has changed.
class SessionTable {
 public:
  struct Options {
    size_t max_sessions = 1'000'000;                        // 1..2^31; the cap of live sessions
    absl::Duration idle_timeout = absl::Minutes(10);        // default of a session; InfiniteDuration: never
    absl::Duration max_idle_timeout = absl::Hours(24 * 7);  // what a client may ask for; InfiniteDuration: anything
    size_t max_queue_per_session = 64;                      // requests waiting for one session; 0: none may wait
    size_t max_ended = 100'000;                             // ended ids whose reason is remembered; 0: none
  };

  explicit SessionTable(const Options& options);
  ~SessionTable();

  // Makes a session at position 0. `id` empty: a random 128-bit id, as 32 hex digits. INVALID_ARGUMENT: id or timeout.
  // ALREADY_EXISTS. RESOURCE_EXHAUSTED: max_sessions.
  absl::StatusOr<SessionInfo> Create(absl::string_view id, const ServedModelPtr& model,
                                     std::optional<absl::Duration> idle_timeout, absl::Time now);

  // Takes the session for one request.
  //   a lease:    it is yours now.
  //   no lease:   `waiter` is in the session's queue and will hear.
  //   error:      NOT_FOUND: unknown id, or why it ended; with `create_as` an unknown id is created instead, and is
  //   gone
  //               again if the lease ends without a commit. INVALID_ARGUMENT: id. RESOURCE_EXHAUSTED: max_sessions, or
  //               the session's queue is full.
  absl::StatusOr<std::optional<SessionLease>> Acquire(absl::string_view id, const ServedModelPtr* create_as,
                                                      LeaseWaiter* waiter, absl::Time now);

  // True: `waiter` has left the queue and will not hear. False: it has heard, or is hearing now.
  bool CancelWait(absl::string_view id, LeaseWaiter* waiter);

  // A zero state that belongs to no session.
  SessionLease AcquireStateless(const ServedModelPtr& model);

  // NOT_FOUND: never existed, or why it ended.
  absl::StatusOr<SessionInfo> Get(absl::string_view id, absl::Time now) const;

  // Ends the session: at once for new requests, who get NOT_FOUND, as does its queue; the lease that runs finishes
  // first.
  absl::Status Delete(absl::string_view id, absl::Time now);

  // At most `page_size` sessions of `model` (empty: all); *page_token: from the last call, empty at the start and the
  // end. INVALID_ARGUMENT: a token that is not ours.
  absl::StatusOr<std::vector<SessionInfo>> List(absl::string_view model, size_t page_size, absl::Time now,
                                                std::string* page_token) const;

  // Ends sessions idle for longer than their timeout. Cheap when nothing is due; call about once a second.
  // Returns how many ended.
  size_t ExpireIdle(absl::Time now);

  size_t size() const;
  // Memory of all state slots, used or free, in bytes.
  size_t state_bytes() const;

 private:
  friend class SessionLease;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// INVALID_ARGUMENT unless `id` is 1..128 bytes of printable ASCII without spaces.
absl::Status ValidateSessionId(absl::string_view id);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_TABLE_H_
