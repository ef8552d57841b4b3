#include "server/rpc/native/leased_call.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "base/steady_time.h"
#include "server/refusal/refusal.h"

namespace rondo {

void LeasedCall::OnMessage() {
  TraceCall();
  context()->metrics->in_flight.Add(1);
  if (context()->draining->load()) return Reply(ShuttingDown());
  if (const absl::Status taken = TakeRequest(RequestBytes()); !taken.ok()) return Reply(taken);
  Restore();
}

void LeasedCall::Restore() {
  if (context()->sessions->has_store()) restored_id_ = RestoredId();
  if (restored_id_.empty()) return Lease(absl::OkStatus());
  const absl::StatusOr<bool> here = wait_.Restore(tenant(), restored_id_, SteadyNow());
  if (!here.ok() || *here) return Lease(here.status());
  restoring_ = true;
  Begin(&granted_);
}

void LeasedCall::Lease(const absl::Status& restored) {
  restored_ = restored;
  if (!restored.ok() && !absl::IsNotFound(restored)) return Reply(restored);
  const std::string* const id = LeasedId();
  if (id == nullptr) return Run(SessionLease());
  absl::StatusOr<std::optional<SessionLease>> lease = wait_.Acquire(tenant(), *id, nullptr, SteadyNow());
  if (!lease.ok()) return Reply(lease.status());
  if (lease->has_value()) return Run(*std::move(*lease));
  Begin(&granted_);
}

void LeasedCall::Run(SessionLease lease) {
  const absl::Status status = Handle(std::move(lease));
  if (!status.ok()) {
    // The store may know more about a session that is not here than the table does.
    const bool store_knows = IsAboutRestored() && absl::IsNotFound(status) && !restored_.ok();
    return Reply(store_knows ? restored_ : status);
  }
  if (IsDone(&sync_)) return Reply(absl::OkStatus());
  if (trace() != nullptr) trace()->computed = SteadyNow();
  Begin(&synced_);
}

bool LeasedCall::IsDone(SessionWait* sync) {
  const std::string id = ChangedId();
  return id.empty() || sync->Sync(tenant(), id, SyncsAlways());
}

void LeasedCall::OnSynced(bool) {
  if (trace() != nullptr) trace()->stored = SteadyNow();
  if (sync_.committed().ok()) Complete();
  Reply(sync_.committed());
}

void LeasedCall::OnGranted(bool) {
  absl::StatusOr<SessionLease> lease = wait_.TakeLease();
  if (trace() != nullptr) trace()->session_ready = SteadyNow();
  if (cancelled_) return Reply(Cancelled());
  if (std::exchange(restoring_, false)) {
    const absl::Status status = lease.status();
    if (lease.ok()) lease->Release(SteadyNow());
    return Lease(status);
  }
  if (!lease.ok()) return Reply(lease.status());
  Run(*std::move(lease));
}

absl::Status LeasedCall::Cancelled() const {
  return deadline() <= SteadyNow() ? Refuse(Why::kDeadline, "the deadline passed while the session was busy")
                                   : CancelledByClient();
}

void LeasedCall::Reply(const absl::Status& status) {
  if (status.ok()) {
    Audit();
  } else {
    Record(status);
  }
  context()->metrics->in_flight.Add(-1);
  Send(status);
}

void LeasedCall::Audit() const {
  if (AuditEvent().empty() || !context()->audit_log) return;
  const std::string* const leased = LeasedId();
  const std::string many = AuditedSessions();
  const std::string changed = many.empty() ? ChangedId() : many;
  const Caller* const caller = this;
  LogEvent(LogLevel::kInfo, AuditEvent(),
           {{"session", changed.empty() && leased != nullptr ? *leased : changed},
            {"from", changed.empty() || leased == nullptr ? std::string() : *leased},
            {"tenant", std::string(tenant())},
            {"peer", caller->peer()},
            {"request_id", caller->request_id()}});
}

void LeasedCall::OnGone() {
  cancelled_ = true;
  if (!wait_.Cancel()) return;
  CallOff();
  Reply(Cancelled());
}

}  // namespace rondo
