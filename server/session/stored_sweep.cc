#include "server/session/stored_sweep.h"

#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/session/session_errors.h"
#include "server/session/session_id.h"

namespace rondo {
namespace {

constexpr SessionEnd kDeleted{SessionEnd::Cause::kDeleted, absl::ZeroDuration()};

bool Matches(absl::string_view model, const StoredDeletion& deletion) {
  return deletion.model.empty() || model == deletion.model;
}

// Tells whether what is stored is one of those sessions, and has not been ended, as far as its head says.
bool IsOne(const SessionStore::ScanOp::Entry& entry, const StoredDeletion& deletion) {
  if (TenantIn(entry.id) != deletion.tenant || !absl::StartsWith(IdIn(entry.id), deletion.prefix)) return false;
  const absl::StatusOr<RecordHead> head = DecodeHead(entry.head);
  return head.ok() && !head->ended && Matches(head->model, deletion);
}

}  // namespace

// One DeleteSome on its way. It ends itself when all that it waits for has come.
struct StoredSweep::Call {
  StoredDeletion* deletion;
  CommitWaiter* waiter;
  size_t awaited = 1;
  absl::Status status = absl::OkStatus();
};

void StoredSweep::DeleteSome(StoredDeletion* deletion, CommitWaiter* waiter) {
  if (!TakePlace(deletion->client)) {
    return waiter->OnCommitted(Refuse(Why::kQueueFull, "other deletions wait for the session store already"));
  }
  auto call = std::make_shared<Call>(Call{deletion, waiter});
  backing_->Scan(SessionName(deletion->tenant, deletion->prefix), deletion->from,
                 [this, call](const SessionStore::ScanOp& found) { OnFound(call, found); });
}

bool StoredSweep::TakePlace(const std::string& client) {
  MutexLock lock(&mutex_);
  const auto found = calls_of_.find(client);
  const size_t own = found == calls_of_.end() ? 0 : found->second;
  if (2 * (own + 1) > kMaxCalls - (calls_ - own)) return false;
  ++calls_;
  ++calls_of_[client];
  return true;
}

void StoredSweep::GiveBackPlace(const std::string& client) {
  MutexLock lock(&mutex_);
  --calls_;
  const auto found = calls_of_.find(client);
  if (--found->second == 0) calls_of_.erase(found);
}

void StoredSweep::OnFound(const std::shared_ptr<Call>& call, const SessionStore::ScanOp& found) {
  if (found.status.ok()) {
    call->deletion->from = found.from;
    for (const SessionStore::ScanOp::Entry& entry : found.entries) {
      if (IsOne(entry, *call->deletion)) EndOrLoad(call, entry.id);
    }
  }
  const bool is_callers_fault = absl::IsInvalidArgument(found.status);  // where to go on from; the store is well
  Came(call, is_callers_fault ? found.status : StoreRefusal(found.status));
}

void StoredSweep::EndOrLoad(const std::shared_ptr<Call>& call, const std::string& name) {
  const SessionKey key(name);
  SessionShard& shard = table_->ShardOf(key.hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  if (EndInMemory(shard, key, call->deletion, &after)) return;
  ++call->awaited;
  backing_->LoadRecord(name, [this, call, name](const SessionBacking::Found& found) { OnLoaded(call, name, found); });
}

void StoredSweep::OnLoaded(const std::shared_ptr<Call>& call, const std::string& name,
                           const SessionBacking::Found& found) {
  if (EndStored(name, found, call->deletion)) {
    if (const ServedModelPtr served = backing_->ModelOf(*found.record)) {
      served->metrics->sessions.events[SessionEvent::kDeleted].Add();
    }
  }
  Came(call, absl::IsDataLoss(found.status) ? absl::OkStatus() : found.status);  // what is damaged is no session
}

bool StoredSweep::EndStored(const std::string& name, const SessionBacking::Found& found, StoredDeletion* deletion) {
  const SessionKey key(name);
  SessionShard& shard = table_->ShardOf(key.hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  if (EndInMemory(shard, key, deletion, &after)) return false;
  if (!found.record || !Matches(found.record->model.name, *deletion)) return false;
  backing_->SaveEnd({name, ReasonOf(kDeleted), found.epoch, found.record->idle_timeout_ns});
  table_->ended_.Record(name, kDeleted);
  ++deletion->deleted;
  return true;
}

bool StoredSweep::EndInMemory(SessionShard& shard, const SessionKey& key, StoredDeletion* deletion, Aftermath* after) {
  LiveSession* const session = shard.Find(key);
  if (session == nullptr) return false;
  if (session->loading || session->provisional) return true;
  if (!deletion->model.empty() && session->model->model->name != deletion->model) return true;
  table_->End(shard, session, kDeleted, false, after);
  ++deletion->deleted;
  return true;
}

void StoredSweep::Came(const std::shared_ptr<Call>& call, const absl::Status& status) {
  if (!status.ok()) call->status = status;
  if (--call->awaited > 0) return;
  GiveBackPlace(call->deletion->client);
  call->waiter->OnCommitted(call->status);
}

}  // namespace rondo
