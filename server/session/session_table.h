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
#include "base/intrusive_fifo.h"
#include "server/metrics/served_model.h"
#include "server/session/session_backing.h"
#include "server/session/session_lease.h"
#include "server/store/session_record.h"

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

// Gets a lease that was not free at once. A waiter waits for one lease at a time, and lives until it has heard or
// CancelWait returned true.
class LeaseWaiter : public FifoLink<LeaseWaiter> {
 public:
  LeaseWaiter() = default;
  virtual ~LeaseWaiter() = default;
  LeaseWaiter(const LeaseWaiter&) = delete;
  LeaseWaiter& operator=(const LeaseWaiter&) = delete;

  // Called exactly once unless CancelWait returned true: the lease, or why the session ended meanwhile. Runs on the
  // thread that gave the lease up, with no lock held; must be quick and must not wait for another waiter. It may end
  // the lease and call the table: whoever is to hear of that hears when this call has returned, so waiters never nest.
  virtual void OnLease(absl::StatusOr<SessionLease> lease) = 0;

 private:
  friend class SessionTable;
  friend class WaitQueue;
  ServedModelPtr create_as_;              // see SessionTable::Acquire
  absl::StatusOr<SessionLease> outcome_;  // what it is about to hear
};

// Every live session: its state, its position, who may touch it and in which order.
//
// A session is touched by one lease at a time. Those who come meanwhile queue in the session's own FIFO, whatever
// thread they are on; a session with a lease or a queue never expires.
//
// With a store, a session that is not in memory is loaded by the request that names it, who waits for it as for a busy
// one, and the coldest sessions leave memory once they are saved. List knows those in memory.
//
// A session is of one model until a commit of its lease says otherwise: which may go on with it is the caller's to
// know.
//
// Ownership: owns the sessions and their states; a SessionLease borrows one. The table outlives every lease.
// Threads:   every method may be called from any thread.
// Time:      an argument. `now` may jump ahead; it never goes back by more than jitter.
// Errors:    returned, each with its reason (server/refusal); on error nothing has changed.
class SessionTable {
 public:
  struct Options {
    size_t max_sessions = 1'000'000;                        // 1..2^31; the cap of live sessions
    absl::Duration idle_timeout = absl::Minutes(10);        // default of a session; InfiniteDuration: never
    absl::Duration max_idle_timeout = absl::Hours(24 * 7);  // what a client may ask for; InfiniteDuration: anything
    size_t max_queue_per_session = 64;                      // requests waiting for one session; 0: none may wait
    size_t max_ended = 100'000;                             // ended ids whose reason is remembered; 0: none
  };

  // With a store in `persistence`, memory holds the sessions in use and the store holds all.
  explicit SessionTable(const Options& options, SessionPersistence persistence = {});
  ~SessionTable();

  // Makes a session at position 0. `id` empty: a random 128-bit id, as 32 hex digits. INVALID_ARGUMENT: id, or a
  // timeout that is not above 0 and at most max_idle_timeout. ALREADY_EXISTS. RESOURCE_EXHAUSTED: max_sessions.
  // INTERNAL: no random bytes.
  absl::StatusOr<SessionInfo> Create(absl::string_view id, const ServedModelPtr& model,
                                     std::optional<absl::Duration> idle_timeout, absl::Time now);

  // Makes a session of `model` that goes on where `record` stands, under the record's id; its idle time starts anew,
  // and its idle timeout is at most what Create would allow. INVALID_ARGUMENT: the id. FAILED_PRECONDITION: the
  // record's sizes are not the model's. ALREADY_EXISTS, RESOURCE_EXHAUSTED: as Create.
  absl::StatusOr<SessionInfo> Import(const SessionRecord& record, const ServedModelPtr& model, absl::Time now);

  // Takes the session for one request.
  //   a lease:    it is yours now.
  //   no lease:   `waiter` is in the session's queue and will hear.
  //   error:      NOT_FOUND: unknown id, or why it ended; with `create_as` an unknown id is created instead, and is
  //               gone again if the lease ends without a commit. INVALID_ARGUMENT: id. RESOURCE_EXHAUSTED:
  //               max_sessions, or the session's queue is full.
  // Until its first commit, a session that Acquire created counts to size() but is not seen by Get and List. If that
  // commit does not come, its queue goes on in order: a waiter with `create_as` gets the lease on a new one, one
  // without hears NOT_FOUND.
  absl::StatusOr<std::optional<SessionLease>> Acquire(absl::string_view id, const ServedModelPtr* create_as,
                                                      LeaseWaiter* waiter, absl::Time now);

  // Makes Create, Get, Delete and Import know a session that is in the store only. True: nothing to wait for. False:
  // `waiter` will hear: a lease, to let go, or as Acquire without `create_as`. Errors as Acquire.
  absl::StatusOr<bool> Restore(absl::string_view id, LeaseWaiter* waiter, absl::Time now);

  // With Durability::kEveryReply: makes what Create, Import or Delete did to `id` durable. True: nothing to wait for.
  // False: `waiter` will hear.
  bool Sync(absl::string_view id, CommitWaiter* waiter);

  // True: `waiter` has left the queue and will not hear. False: it has heard, or is hearing now.
  bool CancelWait(absl::string_view id, LeaseWaiter* waiter);

  // A zero state that belongs to no session.
  SessionLease AcquireStateless(const ServedModelPtr& model);

  // NOT_FOUND: never existed, or why it ended. INVALID_ARGUMENT: id.
  absl::StatusOr<SessionInfo> Get(absl::string_view id, absl::Time now) const;

  // Ends the session: at once for new requests, who get NOT_FOUND, as does its queue; the lease that runs finishes
  // first. The id is free again at once. Errors as Get, but a session before its first commit is ended as well.
  absl::Status Delete(absl::string_view id, absl::Time now);

  // At most `page_size` sessions of `model` (empty: all); *page_token: from the last call, empty at the start and the
  // end. A session that lives throughout is on exactly one page. INVALID_ARGUMENT: a token that is not ours, or a page
  // size of 0.
  absl::StatusOr<std::vector<SessionInfo>> List(absl::string_view model, size_t page_size, absl::Time now,
                                                std::string* page_token) const;

  // Ends sessions that have been idle for their timeout. Cheap when nothing is due; call about once a second.
  // Returns how many ended.
  size_t ExpireIdle(absl::Time now);

  // Saves what the store does not have yet. False: not all by `deadline`. REQUIRES: no lease is held.
  bool Flush(absl::Time deadline);

  size_t size() const;  // in memory
  bool has_store() const;
  bool durable_replies() const;  // Durability::kEveryReply
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
