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
#include "server/metrics/served_model.h"
#include "server/session/lease_waiter.h"
#include "server/session/session_errors.h"
#include "server/session/session_info.h"
#include "server/session/session_lease.h"
#include "server/session/session_options.h"
#include "server/store/session_record.h"

namespace rondo {

class DurableSessions;
class ResidentSessions;
class SessionListing;

// Every live session: its state, its position, who may touch it and in which order. Puts together what does it:
// ResidentSessions, and with a store DurableSessions.
//
// A session is touched by one lease at a time. Those who come meanwhile queue in the session's own FIFO, whatever
// thread they are on; a session with a lease or a queue never expires.
//
// With a store, a session that is not in memory is loaded by the request that names it, who waits for it as for a busy
// one, and the coldest sessions leave memory once they are saved. List knows those in memory.
//
// A session is of one model until a commit of its lease says otherwise. Which models may go on with a session is the
// caller's to know.
//
// Ownership: owns the sessions and their states; a SessionLease borrows one. The table outlives every lease.
// Threads:   every method may be called from any thread.
// Time:      an argument. `now` may jump ahead; it never goes back by more than jitter.
// Errors:    returned, each with its reason (server/refusal); on error nothing has changed.
class SessionTable {
 public:
  using Options = SessionOptions;

  // With a store in `persistence`, memory holds the sessions in use and the store holds all sessions.
  explicit SessionTable(const Options& options, SessionPersistence persistence = {});
  ~SessionTable();

  // Makes a session at position 0. With an empty `id` it gets a random one of 32 hex digits. INVALID_ARGUMENT: id, or a
  // timeout that is not above 0 and at most max_idle_timeout. ALREADY_EXISTS. RESOURCE_EXHAUSTED: max_sessions.
  // INTERNAL: no random bytes.
  absl::StatusOr<SessionInfo> Create(absl::string_view id, const ServedModelPtr& model,
                                     std::optional<absl::Duration> idle_timeout, absl::Time now);

  // Makes a session of `model` that goes on where `record` stands, under the record's id; its idle time starts anew,
  // and its idle timeout is at most what Create would allow. INVALID_ARGUMENT: the id. FAILED_PRECONDITION: the
  // record's sizes are not the model's. ALREADY_EXISTS, RESOURCE_EXHAUSTED: as Create.
  absl::StatusOr<SessionInfo> Import(const SessionRecord& record, const ServedModelPtr& model, absl::Time now);

  // Takes the session for one request.
  //   a lease:    the session is yours now.
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

  // Gives a zero state that belongs to no session.
  SessionLease AcquireStateless(const ServedModelPtr& model);

  // NOT_FOUND: never existed, or why it ended. INVALID_ARGUMENT: id.
  absl::StatusOr<SessionInfo> Get(absl::string_view id, absl::Time now) const;

  // Ends the session: at once for new requests, who get NOT_FOUND, as does its queue; the lease that runs finishes
  // first. The id is free again at once. Errors as Get, but a session before its first commit is ended as well.
  absl::Status Delete(absl::string_view id, absl::Time now);

  // Lists at most `page_size` sessions of `model` (empty: of all models). *page_token comes from the last call, and is
  // empty at the start and the end. A session that lives throughout is on exactly one page. INVALID_ARGUMENT: a token
  // that is not ours, or a page size of 0.
  absl::StatusOr<std::vector<SessionInfo>> List(absl::string_view model, size_t page_size, absl::Time now,
                                                std::string* page_token) const;

  // Ends sessions that have been idle for their timeout. Cheap when nothing is due; call about once a second.
  // Returns how many ended.
  size_t ExpireIdle(absl::Time now);

  // Saves what the store does not have yet. False: not all by `deadline`. REQUIRES: no lease is held.
  bool Flush(absl::Time deadline);
  // The number of sessions that the store does not have as they are, or as ended.
  size_t CountUnsaved() const;

  size_t size() const;  // sessions in memory
  bool has_store() const;
  bool durable_replies() const;  // Durability::kEveryReply
  // Memory of all state slots, used or free, in bytes.
  size_t state_bytes() const;

 private:
  const std::unique_ptr<ResidentSessions> resident_;
  const std::unique_ptr<SessionListing> listing_;
  const std::unique_ptr<DurableSessions> durable_;  // null: memory only. Last: its thread uses resident_
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_TABLE_H_
