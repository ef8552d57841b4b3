#include "server/session/durable_sessions.h"

#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/session/session_errors.h"
#include "server/session/session_id.h"
#include "server/session/session_value.h"

namespace rondo {
namespace {

// What the store is told of an end. REQUIRES: the lock of the session's shard.
SessionBacking::End EndOf(const LiveSession& session, const SessionEnd& end) {
  return {session.id, ReasonOf(end), session.stored.epoch, session.idle_timeout_ns};
}

}  // namespace

DurableSessions::DurableSessions(ResidentSessions* resident, SessionPersistence persistence)
    : SessionKeeper(persistence.durability == Durability::kEveryReply),
      resident_(resident),
      backing_(std::move(persistence)),
      saver_(resident, &backing_, backing_.sessions_probe()),
      eviction_(resident, backing_.max_resident()) {
  resident_->KeepWith(this);
  backing_.Start([this](absl::Time) { Tick(); });
}

DurableSessions::~DurableSessions() { backing_.Stop(); }  // all that is under way is answered

void DurableSessions::Tick() {
  saver_.OnTick();
  backing_.RetryEnds();
  saver_.SaveChanges();
  eviction_.EvictCold();
}

void DurableSessions::OnEnter(SessionShard& shard, LiveSession* session, LeftSessions* left) {
  session->stored.saved_change = session->stored.change = ++shard.changes;
  // The tick saves what is dirty, and looks longer; in vain while nothing can be saved.
  if (!eviction_.MakeRoom(shard, left) && !saver_.store_is_away()) saver_.WakeForTick();
}

void DurableSessions::OnChange(SessionShard& shard, LiveSession* session, bool is_saved) {
  if (is_saved) return saver_.NoteSavedChange(shard, session);
  saver_.NoteChange(shard, session);
}

void DurableSessions::OnUse(SessionShard& shard, LiveSession* session) { saver_.NoteUse(shard, session); }

void DurableSessions::OnEnd(SessionShard&, const LiveSession& session, const SessionEnd& end) {
  backing_.SaveEnd(EndOf(session, end));
}

// Loading.

absl::StatusOr<std::optional<SessionLease>> DurableSessions::LookFor(const SessionKey& key,
                                                                     const ServedModelPtr* create_as,
                                                                     LeaseWaiter* waiter, absl::Time now) {
  if (absl::Status valid = ValidateSessionId(key.id); !valid.ok()) return valid;
  std::unique_ptr<LiveSession> made = resident_->NewSession(key, now);
  made->leased = made->provisional = made->loading = made->recently_used = true;
  LiveSession* const session = made.get();
  SessionShard& shard = resident_->ShardOf(key.hash);
  LeftSessions left;
  MutexLock lock(&shard.mutex);
  if (LiveSession* found = shard.Find(key)) return resident_->Join(shard, found, create_as, waiter, now);
  if (absl::Status entered = resident_->Enter(shard, std::move(made), now, &left); !entered.ok()) return entered;
  resident_->Wait(shard, session, create_as, waiter);
  backing_.Load(key.id, [this, session](const SessionBacking::Found& found) { OnLoaded(session, found); });
  return std::optional<SessionLease>();
}

void DurableSessions::OnLoaded(LiveSession* session, const SessionBacking::Found& found) {
  StateSlot state;
  if (found.record) state = resident_->states().TakeUndefined(static_cast<size_t>(found.model->spec().state_size()));
  SessionShard& shard = resident_->ShardOf(session->hash);
  WaitQueue heard;
  std::unique_ptr<LiveSession> gone;
  {
    MutexLock lock(&shard.mutex);
    session->leased = session->loading = false;
    if (!session->in_table()) {
      gone.reset(session);
    } else if (!found.status.ok()) {
      gone = resident_->Detach(shard, session, LiveSession::Standing::kEnded, found.status, &heard);
    } else if (found.record) {
      Fill(shard, found, std::move(state), session);
      resident_->PassOn(shard, session, &heard);
    } else {
      session->stored.epoch = found.epoch;
      gone = resident_->StartAnew(shard, session, found.missing, &heard);
    }
  }
  heard.TellAll();
}

void DurableSessions::Fill(SessionShard& shard, const SessionBacking::Found& found, StateSlot state,
                           LiveSession* session) {
  session->model = found.model;
  session->state = std::move(state);
  session->idle_timeout_ns = found.record->idle_timeout_ns;
  GoOnFrom(*found.record, session);
  session->stored.durable_position.store(session->position, std::memory_order_relaxed);
  session->stored.epoch = found.epoch;
  session->stored.noted_used_ns = found.record->last_used_ns;
  session->provisional = false;
  shard.WatchIdle(session, absl::FromUnixNanos(session->last_used_ns));
  session->model->metrics->sessions.Began(SessionEvent::kRestored);
  if (found.record->model.fingerprint != session->model->model->fingerprint) {
    session->model->metrics->sessions.events[SessionEvent::kAdopted].Add();
  }
}

absl::StatusOr<bool> DurableSessions::Restore(absl::string_view id, LeaseWaiter* waiter, absl::Time now) {
  const SessionKey key(id);
  {
    SessionShard& shard = resident_->ShardOf(key.hash);
    MutexLock lock(&shard.mutex);
    const LiveSession* const session = shard.Find(key);
    if (session != nullptr && !session->loading) return true;
  }
  absl::StatusOr<std::optional<SessionLease>> lease = LookFor(key, nullptr, waiter, now);
  if (!lease.ok()) return lease.status();
  return lease->has_value();  // loaded meanwhile: the lease ends here
}

bool DurableSessions::Discard(LiveSession* session) {
  SessionShard& shard = resident_->ShardOf(session->hash);
  LeftSessions left;
  MutexLock lock(&shard.mutex);
  if (!session->in_table() || session->provisional || !session->stored.is_current()) return false;
  if (!session->queue.empty()) return false;
  eviction_.Evict(shard, session, &left);
  return true;
}

// Saving.

void DurableSessions::CommitOnceSaved(LiveSession* session, Committed commit, CommitWaiter* waiter) {
  const auto pending = std::make_shared<Committed>(std::move(commit));
  auto saved = [this, session, pending, waiter](const absl::Status& status) {
    waiter->OnCommitted(FinishCommit(session, pending.get(), status));
  };
  SessionShard& shard = resident_->ShardOf(session->hash);
  {
    MutexLock lock(&shard.mutex);
    if (session->in_table()) {
      if (pending->sequence->end_session) return backing_.TryEnd(EndOf(*session, kEndedByRequest), std::move(saved));
      return backing_.Save(ViewAfter(*session, *pending), session->stored.epoch, std::move(saved));
    }
  }
  waiter->OnCommitted(resident_->Commit(session, pending.get(), false));
}

absl::Status DurableSessions::FinishCommit(LiveSession* session, Committed* commit, const absl::Status& saved) {
  saver_.NoteAnswer(saved);
  if (saved.ok()) return resident_->Commit(session, commit, true);
  absl::Status status = StoreRefusal(saved);
  SessionShard& shard = resident_->ShardOf(session->hash);
  WaitQueue heard;
  {
    MutexLock lock(&shard.mutex);
    if (absl::IsAborted(saved)) {
      status = MovedError(session->id);
      if (session->in_table()) static_cast<void>(saver_.GiveUp(shard, session, &heard));  // it stays its lease's
    } else if (commit->sequence->end_session && session->in_table() && !session->provisional) {
      saver_.NoteDoubt(shard, session);  // the end may have been written all the same, and the session lives
    }
  }
  heard.TellAll();
  resident_->Release(session, commit->now);
  return status;
}

bool DurableSessions::Sync(absl::string_view id, CommitWaiter* waiter) {
  if (!commits_wait()) return true;
  const SessionKey key(id);
  SessionShard& shard = resident_->ShardOf(key.hash);
  MutexLock lock(&shard.mutex);
  LiveSession* const session = shard.Find(key);
  if (session == nullptr) {  // deleted: the answer comes behind that of the end, and says whether the end took effect
    backing_.Load(id, [waiter](const SessionBacking::Found& found) {
      waiter->OnCommitted(found.record ? Refuse(Why::kStore, "the session's end could not be stored") : found.status);
    });
    return false;
  }
  if (session->stored.is_current()) return true;
  if (session->leased) {  // already someone works on it: saved when they let go, or by their own commit
    session->stored.save_when_free = true;
    return true;
  }
  saver_.SaveNow(shard, session, waiter);
  return false;
}

bool DurableSessions::Flush(absl::Time deadline) {
  constexpr absl::Duration kRetry = absl::Milliseconds(50);
  while (true) {
    backing_.RetryEnds();
    saver_.SaveChanges();
    if (!backing_.Flush(deadline)) return false;
    if (CountUnsaved() == 0) return true;
    if (absl::Now() + kRetry > deadline) return false;
    absl::SleepFor(kRetry);
  }
}

size_t DurableSessions::CountUnsaved() { return saver_.CountUnsaved() + backing_.CountUnsavedEnds(); }

}  // namespace rondo
