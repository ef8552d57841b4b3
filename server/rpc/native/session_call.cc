#include "server/rpc/native/session_call.h"

#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "server/rpc/call/status.h"

namespace rondo {

SessionCall::SessionCall(const RpcContext* context) : Call(context->calls), context_(context) {
  server_context_.AsyncNotifyWhenDone(&context_done_);
}

void SessionCall::OnArrived(bool ok) {
  if (!ok) {  // the server is shutting down; context_done_ will not come
    delete this;
    return;
  }
  context_->calls->Add(this);
  ListenAgain();
  context_->metrics->requests_in_flight().Add(1);
  if (context_->draining->load()) return Reply(ShuttingDown());
  Restore();
}

void SessionCall::Restore() {
  const std::string id = context_->sessions->has_store() ? RestoredId() : std::string();
  if (id.empty()) return Lease(absl::OkStatus());
  stage_ = Stage::kRestoring;
  waited_for_ = id;
  const absl::StatusOr<bool> here = context_->sessions->Restore(id, this, absl::Now());
  if (here.ok() && !*here) return;
  waited_for_.clear();
  Lease(here.status());
}

void SessionCall::Lease(const absl::Status& restored) {
  restored_ = restored;
  if (!restored.ok() && !absl::IsNotFound(restored)) return Reply(restored);
  if (!Leases()) return Run(SessionLease());
  const std::string& id = LeasedId();
  stage_ = Stage::kLeasing;
  waited_for_ = id;
  absl::StatusOr<std::optional<SessionLease>> lease = context_->sessions->Acquire(id, nullptr, this, absl::Now());
  if (lease.ok() && !lease->has_value()) return;
  waited_for_.clear();
  if (!lease.ok()) return Reply(lease.status());
  Run(*std::move(*lease));
}

void SessionCall::Run(SessionLease lease) {
  stage_ = Stage::kSyncing;
  const absl::Status status = Handle(std::move(lease));
  // The store may know more about a session that is not here than the table does.
  if (!status.ok()) return Reply(absl::IsNotFound(status) && !restored_.ok() ? restored_ : status);
  const std::string id = ChangedId();
  if (id.empty() || context_->sessions->Sync(id, this)) Reply(absl::OkStatus());
}

void SessionCall::OnLease(absl::StatusOr<SessionLease> lease) {
  granted_lease_ = std::move(lease);
  context_->loop->Post(&granted_);
}

void SessionCall::OnGranted(bool) {
  waited_for_.clear();
  absl::StatusOr<SessionLease> lease = std::exchange(granted_lease_, absl::CancelledError());
  if (is_cancelled_) return Reply(Cancelled());
  if (stage_ == Stage::kRestoring) {
    const absl::Status status = lease.status();
    if (lease.ok()) lease->Release(absl::Now());
    return Lease(status);
  }
  if (!lease.ok()) return Reply(lease.status());
  Run(*std::move(lease));
}

void SessionCall::OnCommitted(const absl::Status& status) {
  synced_status_ = status;
  context_->loop->Post(&synced_);
}

void SessionCall::OnSynced(bool) { Reply(synced_status_); }

absl::Status SessionCall::Cancelled() const {
  return absl::FromChrono(server_context_.deadline()) <= absl::Now()
             ? absl::DeadlineExceededError("the deadline passed while the session was busy")
             : absl::CancelledError("cancelled by the client");
}

void SessionCall::Reply(const absl::Status& status) {
  stage_ = Stage::kDone;
  if (!status.ok()) {
    const bool draining = absl::IsUnavailable(status) && context_->draining->load();
    RecordRefusal(draining ? Rejection::kDraining : SessionRejectionOf(status), status, context_->metrics);
  }
  context_->metrics->requests_in_flight().Add(-1);
  Send(ToGrpcStatus(status, &server_context_), &finished_);
}

void SessionCall::OnFinished(bool) {
  is_finished_ = true;
  DeleteWhenOver();
}

void SessionCall::OnContextDone(bool) {
  is_context_done_ = true;
  is_cancelled_ = server_context_.IsCancelled();
  if (is_cancelled_ && !waited_for_.empty() && context_->sessions->CancelWait(waited_for_, this)) {
    waited_for_.clear();
    Reply(Cancelled());
  }
  DeleteWhenOver();
}

void SessionCall::DeleteWhenOver() {
  if (is_finished_ && is_context_done_) delete this;
}

}  // namespace rondo
