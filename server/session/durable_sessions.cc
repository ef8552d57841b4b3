#include "server/session/durable_sessions.h"

#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "base/steady_time.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/session/new_session.h"
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

DurableSessions::DurableSessions(SessionTable* table, SessionPersistence persistence)
    : table_(table),
      backing_(std::move(persistence)),
      saver_(table, &backing_, backing_.sessions_probe()),
      eviction_(table, backing_.max_resident()),
      stored_sweep_(table, &backing_) {
  backing_.Start([this](absl::Time) { Tick(); }, [this](const std::string& id) { OnWanted(id); });
}

DurableSessions::~DurableSessions() {
  backing_.Stop();  // all that is under way is answered
  if (CountUnsaved() == 0) backing_.EndWhole();
}

void DurableSessions::Tick() {
  saver_.OnTick();
  RetryLettingGo();
  backing_.RetryEnds();
  saver_.SaveChanges();
  eviction_.EvictCold();
}

void DurableSessions::OnEnter(SessionShard& shard, LiveSession* session, Aftermath* after) {
  session->stored.saved_change = session->stored.change = ++shard.changes;
  session->stored.term = backing_.TermAt(SteadyNow());
  // The tick saves what is dirty, and looks longer; in vain while nothing can be saved.
  if (!eviction_.MakeRoom(shard, after) && !saver_.store_is_away()) saver_.WakeForTick();
}

void DurableSessions::OnChange(SessionShard& shard, LiveSession* session, bool is_saved) {
  if (is_saved) return saver_.NoteSavedChange(shard, session);
  saver_.NoteChange(shard, session);
}

void DurableSessions::OnUse(SessionShard& shard, LiveSession* session) { saver_.NoteUse(shard, session); }

void DurableSessions::OnHeard(SessionShard& shard, LiveSession* session) {
  session->stored.went_back = false;
  session->stored.save_when_free = true;
  if (!session->leased) saver_.NoteUse(shard, session);
}

void DurableSessions::OnEnd(SessionShard&, const LiveSession& session, const SessionEnd& end) {
  backing_.SaveEnd(EndOf(session, end));
}

// Loading.

absl::StatusOr<std::optional<SessionLease>> DurableSessions::LookFor(const SessionKey& key,
                                                                     const ServedModelPtr* create_as,
                                                                     LeaseWaiter* waiter, absl::Time now) {
  if (absl::Status valid = ValidateSessionId(key.id); !valid.ok()) return valid;
  const absl::Duration idle_timeout =
      create_as == nullptr ? table_->options_.idle_timeout : IdleTimeoutOf(table_->options_, **create_as);
  std::unique_ptr<LiveSession> made = NewSession(table_->options_, key, idle_timeout, now);
  LiveSession* const session = made.get();
  SessionShard& shard = table_->ShardOf(key.hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  if (LiveSession* found = shard.Find(key)) return table_->Join(shard, found, create_as, waiter, now);
  if (absl::Status entered = table_->Enter(shard, std::move(made), now, &after); !entered.ok()) return entered;
  table_->Wait(shard, session, create_as, waiter);
  Load(session, create_as != nullptr);
  return std::optional<SessionLease>();
}

void DurableSessions::Load(LiveSession* session, bool creates) {
  session->leased = session->provisional = session->loading = session->recently_used = true;
  backing_.Load(session->id, creates,
                [this, session](const SessionBacking::Found& found) { OnLoaded(session, found); });
}

void DurableSessions::OnLoaded(LiveSession* session, const SessionBacking::Found& found) {
  StateSlot state;
  if (found.record) state = table_->states_.TakeUndefined(static_cast<size_t>(found.model->spec().state_size()));
  SessionShard& shard = table_->ShardOf(session->hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  session->leased = session->loading = false;
  if (!session->in_table()) {
    after.left.emplace_back(session);
  } else if (!found.status.ok()) {
    table_->Detach(shard, session, LiveSession::Standing::kEnded, found.status, &after);
  } else if (found.record) {
    Fill(shard, found, std::move(state), session);
    // One of those who wait has the session before another server may: else two servers could pass it to and fro.
    session->queue.empty() ? table_->PassOn(shard, session, &after) : table_->GiveToNext(session, &after);
  } else {
    session->stored.epoch = found.epoch;
    table_->StartAnew(shard, session, found.missing, &after);
  }
}

void DurableSessions::Fill(SessionShard& shard, const SessionBacking::Found& found, StateSlot state,
                           LiveSession* session) {
  session->model = found.model;
  session->state = std::move(state);
  session->idle_timeout_ns = found.record->idle_timeout_ns;
  session->ends_at_ns = std::min(session->ends_at_ns, found.record->ends_at_ns);
  GoOnFrom(*found.record, session);
  session->serial = 0;
  session->stored.durable_position.store(session->position, std::memory_order_relaxed);
  session->stored.epoch = found.epoch;
  session->stored.noted_used_ns = found.record->last_used_ns;
  session->stored.term = backing_.TermAt(SteadyNow());
  session->stored.went_back = found.went_back;
  session->provisional = false;
  // If this server's lifetime is the shorter one it is saved; else the session would have all of it again after the
  // next load.
  if (session->ends_at_ns < found.record->ends_at_ns) saver_.NoteDoubt(shard, session);
  shard.WatchIdle(session, SteadyNow());  // by a clock that was set, the record may be of the future
  session->model->metrics->sessions.Began(SessionEvent::kRestored);
  if (found.went_back) session->model->metrics->sessions.events[SessionEvent::kWentBack].Add();
  if (found.record->model.fingerprint != session->model->model->fingerprint) {
    session->model->metrics->sessions.events[SessionEvent::kAdopted].Add();
  }
}

absl::StatusOr<bool> DurableSessions::Restore(absl::string_view id, LeaseWaiter* waiter, absl::Time now) {
  const SessionKey key(id);
  {
    SessionShard& shard = table_->ShardOf(key.hash);
    MutexLock lock(&shard.mutex);
    const LiveSession* const session = shard.Find(key);
    if (session != nullptr && !session->loading) return true;
  }
  absl::StatusOr<std::optional<SessionLease>> lease = LookFor(key, nullptr, waiter, now);
  if (!lease.ok()) return lease.status();
  return lease->has_value();  // loaded meanwhile: the lease ends here
}

bool DurableSessions::Discard(LiveSession* session) {
  SessionShard& shard = table_->ShardOf(session->hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  if (!session->in_table() || session->provisional || !session->stored.is_current()) return false;
  if (!session->queue.empty()) return false;
  eviction_.Evict(shard, session, &after);
  return true;
}

// Saving.

void DurableSessions::CommitOnceSaved(LiveSession* session, Committed commit, CommitWaiter* waiter) {
  const auto pending = std::make_shared<Committed>(std::move(commit));
  auto saved = [this, session, pending, waiter](const absl::Status& status) {
    waiter->OnCommitted(FinishCommit(session, pending.get(), status));
  };
  SessionShard& shard = table_->ShardOf(session->hash);
  {
    MutexLock lock(&shard.mutex);
    if (session->in_table()) {
      if (pending->sequence->end_session) return backing_.TryEnd(EndOf(*session, kEndedByRequest), std::move(saved));
      return backing_.Save(ViewAfter(*session, *pending), session->stored.epoch, std::move(saved));
    }
  }
  waiter->OnCommitted(table_->Commit(session, pending.get(), false));
}

absl::Status DurableSessions::FinishCommit(LiveSession* session, Committed* commit, const absl::Status& saved) {
  saver_.NoteAnswer(saved);
  if (saved.ok()) return table_->Commit(session, commit, true);
  {
    SessionShard& shard = table_->ShardOf(session->hash);
    Aftermath after;
    MutexLock lock(&shard.mutex);
    if (absl::IsAborted(saved)) {
      if (session->in_table()) saver_.GiveUp(shard, session, &after);  // the session stays its lease's
    } else if (session->in_table() && commit->sequence->end_session && !session->provisional) {
      saver_.NoteDoubt(shard, session);  // the end may have been written all the same, and the session lives
    }
  }
  const absl::Status refusal = absl::IsAborted(saved) ? MovedError(session->id) : StoreRefusal(saved);
  table_->Release(session, commit->now);
  return refusal;
}

bool DurableSessions::Sync(absl::string_view id, CommitWaiter* waiter) {
  const SessionKey key(id);
  SessionShard& shard = table_->ShardOf(key.hash);
  MutexLock lock(&shard.mutex);
  LiveSession* const session = shard.Find(key);
  if (session == nullptr) {  // deleted: the answer comes behind that of the end, and says whether the end took effect
    backing_.Load(id, false, [waiter](const SessionBacking::Found& found) {
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

// Between servers.

void DurableSessions::OnWanted(const std::string& id) {
  const SessionKey key(id);
  SessionShard& shard = table_->ShardOf(key.hash);
  MutexLock lock(&shard.mutex);
  LiveSession* const session = shard.Find(key);
  if (session == nullptr) return backing_.LetGo(id);
  session->stored.wanted = true;
  if (!session->leased) LetGo(shard, session);
}

void DurableSessions::LetGo(SessionShard&, LiveSession* session) {
  StoredCopy& stored = session->stored;
  session->leased = session->loading = true;
  stored.wanted = stored.dirty = stored.save_when_free = false;
  const auto after = stored.went_back ? SessionStore::After::kLetGoDoubtful : SessionStore::After::kLetGo;
  auto saved = [this, session](const absl::Status& status) { OnLetGo(session, status); };
  backing_.Save(ViewOf(*session), stored.epoch, std::move(saved), after);
}

void DurableSessions::OnLetGo(LiveSession* session, const absl::Status& saved) {
  saver_.NoteAnswer(saved);
  SessionShard& shard = table_->ShardOf(session->hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  if (!session->in_table()) {
    after.left.emplace_back(session);
  } else if (StoreIsAway(saved)) {
    // The session may have been saved all the same: nobody may have it before that is known.
    MutexLock stuck(&mutex_);
    stuck_.push_back(session);
  } else {
    session->model->metrics->sessions.Ended(SessionEvent::kMoved);
    if (session->queue.empty()) return after.left.push_back(table_->Remove(shard, session));
    auto again =
        NewSession(table_->options_, SessionKey(session->id), absl::Nanoseconds(session->idle_timeout_ns), SteadyNow());
    again->queue = std::move(session->queue);
    again->stored.saved_change = again->stored.change = ++shard.changes;
    LiveSession* const loaded = again.get();
    after.left.push_back(shard.Remove(session));
    shard.Insert(std::move(again), SteadyNow());
    Load(loaded, true);
  }
}

void DurableSessions::RetryLettingGo() {
  std::vector<LiveSession*> stuck;
  {
    MutexLock lock(&mutex_);
    stuck.swap(stuck_);
  }
  for (LiveSession* const session : stuck) {
    SessionShard& shard = table_->ShardOf(session->hash);
    Aftermath after;
    MutexLock lock(&shard.mutex);
    if (session->in_table()) {
      LetGo(shard, session);
    } else {
      after.left.emplace_back(session);
    }
  }
}

}  // namespace rondo
