#include "server/rpc/session_call.h"

#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "server/rpc/status.h"

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
  if (context_->draining->load()) return Reply(absl::UnavailableError("the server is shutting down"));
  is_waiting_ = true;
  absl::StatusOr<std::optional<SessionLease>> lease =
      context_->sessions->Acquire(session_id(), nullptr, this, absl::Now());
  if (lease.ok() && !lease->has_value()) return;
  is_waiting_ = false;
  Reply(lease.ok() ? Handle(*std::move(*lease)) : lease.status());
}

void SessionCall::OnLease(absl::StatusOr<SessionLease> lease) {
  granted_lease_ = std::move(lease);
  context_->loop->Post(&granted_);
}

void SessionCall::OnGranted(bool) {
  is_waiting_ = false;
  absl::StatusOr<SessionLease> lease = std::exchange(granted_lease_, absl::CancelledError());
  if (!lease.ok()) return Reply(lease.status());
  Reply(is_cancelled_ ? Cancelled() : Handle(*std::move(lease)));
}

absl::Status SessionCall::Cancelled() const {
  return absl::FromChrono(server_context_.deadline()) <= absl::Now()
             ? absl::DeadlineExceededError("the deadline passed while the session was busy")
             : absl::CancelledError("cancelled by the client");
}

void SessionCall::Reply(const absl::Status& status) {
  if (!status.ok()) RecordRefusal(RejectionOf(status), status, context_->metrics);
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
  if (is_cancelled_ && is_waiting_ && context_->sessions->CancelWait(session_id(), this)) {
    is_waiting_ = false;
    Reply(Cancelled());
  }
  DeleteWhenOver();
}

void SessionCall::DeleteWhenOver() {
  if (is_finished_ && is_context_done_) delete this;
}

}  // namespace rondo
