#ifndef RONDO_SERVER_SERVE_SESSION_WAIT_H_
#define RONDO_SERVER_SERVE_SESSION_WAIT_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/loop/event.h"
#include "server/serve/serve_context.h"
#include "server/session/lease_waiter.h"
#include "server/session/session_id.h"
#include "server/session/session_table.h"

namespace rondo {

// Waits for a session on behalf of a request: for the lease, for the load of a session that may be in the store only,
// or until a change is durable. What comes later comes as the request's event, on the loop of the context.
//
// Threads: the loop's own, but OnLease and OnCommitted. One wait at a time.
class SessionWait : private LeaseWaiter, private CommitWaiter {
 public:
  // Borrows both.
  SessionWait(const ServeContext* context, Event* event) : context_(context), event_(event) {}

  // Acquires the tenant's session as SessionTable::Acquire does. No lease: the event will come, then TakeLease has the
  // outcome. `id` stays put until then.
  absl::StatusOr<std::optional<SessionLease>> Acquire(absl::string_view tenant, absl::string_view id,
                                                      const ServedModelPtr* create_as, absl::Time now,
                                                      const RequestOrder& order = {}) {
    SetOrder(order);
    const absl::string_view name = SessionName(tenant, id, &name_);
    auto lease = context_->sessions->Acquire(name, create_as, this, now);
    if (lease.ok() && !lease->has_value()) waited_for_ = name;
    return lease;
  }
  // Restores it as SessionTable::Restore does. False: the event will come likewise, and a lease is only to be let go.
  absl::StatusOr<bool> Restore(absl::string_view tenant, absl::string_view id, absl::Time now) {
    const absl::string_view name = SessionName(tenant, id, &name_);
    const absl::StatusOr<bool> here = context_->sessions->Restore(name, this, now);
    if (here.ok() && !*here) waited_for_ = name;
    return here;
  }
  absl::StatusOr<SessionLease> TakeLease() {
    waited_for_ = {};
    return std::exchange(granted_, absl::CancelledError());
  }
  // True: the event will not come; what was waited for was the lease or the load. False: nothing is waited for, or the
  // event is on its way.
  bool Cancel() {
    if (waited_for_.empty() || !context_->sessions->CancelWait(waited_for_, this)) return false;
    waited_for_ = {};
    return true;
  }

  // Commit and sync as SessionLease::Commit and SessionTable::Sync do. Absent and false: the event will come, then
  // committed() answers.
  std::optional<absl::Status> Commit(SessionLease* lease, const CommittedSequence& sequence, absl::Time now) {
    return lease->Commit(sequence, now, this);
  }
  bool Sync(absl::string_view tenant, absl::string_view id, bool always) {
    return context_->sessions->Sync(SessionName(tenant, id, &name_), this, always);
  }
  // Does what SessionTable::DeleteStored does; the event will come, then committed() answers. *deletion stays put until
  // then.
  void DeleteStored(StoredDeletion* deletion) { context_->sessions->DeleteStored(deletion, this); }
  const absl::Status& committed() const { return committed_; }

 private:
  void OnLease(absl::StatusOr<SessionLease> lease) override {
    granted_ = std::move(lease);
    context_->poster->Post(event_);
  }
  void OnCommitted(const absl::Status& status) override {
    committed_ = status;
    context_->poster->Post(event_);
  }

  const ServeContext* const context_;
  Event* const event_;
  std::string name_;              // memory for a tenant's session's
  absl::string_view waited_for_;  // the session in whose queue it waits; empty: in none
  // Written on another thread; the loop's inbox hands them over.
  absl::StatusOr<SessionLease> granted_;
  absl::Status committed_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_SESSION_WAIT_H_
