#include "server/rpc/native/leased_call.h"

#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "server/refusal/refusal.h"
#include "server/rpc/call/status.h"
#include "server/serve/record_refusal.h"

namespace rondo {

void LeasedCall::OnArrived() {
  ListenAgain();
  context()->metrics->in_flight.Add(1);
  if (context()->draining->load()) return Reply(ShuttingDown());
  Restore();
}

void LeasedCall::Restore() {
  const std::string id = context()->sessions->has_store() ? RestoredId() : std::string();
  if (id.empty()) return Lease(absl::OkStatus());
  const absl::StatusOr<bool> here = context()->sessions->Restore(id, this, absl::Now());
  if (!here.ok() || *here) return Lease(here.status());
  restoring_ = true;
  waited_for_ = id;
  Begin(&granted_);
}

void LeasedCall::Lease(const absl::Status& restored) {
  restored_ = restored;
  if (!restored.ok() && !absl::IsNotFound(restored)) return Reply(restored);
  const std::string* const id = LeasedId();
  if (id == nullptr) return Run(SessionLease());
  absl::StatusOr<std::optional<SessionLease>> lease = context()->sessions->Acquire(*id, nullptr, this, absl::Now());
  if (!lease.ok()) return Reply(lease.status());
  if (lease->has_value()) return Run(*std::move(*lease));
  waited_for_ = *id;
  Begin(&granted_);
}

void LeasedCall::Run(SessionLease lease) {
  const absl::Status status = Handle(std::move(lease));
  // The store may know more about a session that is not here than the table does.
  if (!status.ok()) return Reply(absl::IsNotFound(status) && !restored_.ok() ? restored_ : status);
  const std::string id = ChangedId();
  if (id.empty() || context()->sessions->Sync(id, this)) return Reply(absl::OkStatus());
  Begin(&synced_);
}

void LeasedCall::OnLease(absl::StatusOr<SessionLease> lease) {
  granted_lease_ = std::move(lease);
  context()->loop->Post(&granted_);
}

void LeasedCall::OnGranted(bool) {
  waited_for_.clear();
  absl::StatusOr<SessionLease> lease = std::exchange(granted_lease_, absl::CancelledError());
  if (cancelled_) return Reply(Cancelled());
  if (std::exchange(restoring_, false)) {
    const absl::Status status = lease.status();
    if (lease.ok()) lease->Release(absl::Now());
    return Lease(status);
  }
  if (!lease.ok()) return Reply(lease.status());
  Run(*std::move(lease));
}

void LeasedCall::OnCommitted(const absl::Status& status) {
  synced_status_ = status;
  context()->loop->Post(&synced_);
}

void LeasedCall::OnSynced(bool) { Reply(synced_status_); }

absl::Status LeasedCall::Cancelled() const {
  return deadline() <= absl::Now() ? Refuse(Why::kDeadline, "the deadline passed while the session was busy")
                                   : CancelledByClient();
}

void LeasedCall::Reply(const absl::Status& status) {
  if (!status.ok()) RecordRefusal(status, context()->metrics);
  context()->metrics->in_flight.Add(-1);
  Send(ToGrpcStatus(status, server_context()));
}

void LeasedCall::OnCancelled() {
  cancelled_ = true;
  if (waited_for_.empty() || !context()->sessions->CancelWait(waited_for_, this)) return;
  waited_for_.clear();
  CallOff();
  Reply(Cancelled());
}

}  // namespace rondo
