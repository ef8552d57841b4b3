#include "server/session/session_table.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/session/durable_sessions.h"
#include "server/session/new_session.h"
#include "server/session/session_errors.h"
#include "server/session/session_id.h"
#include "server/session/session_listing.h"
#include "server/session/session_queue.h"
#include "server/session/session_sweep.h"
#include "server/session/session_value.h"

namespace rondo {
namespace {

SessionEvent EventOf(const SessionEnd& end) {
  switch (end.cause) {
    case SessionEnd::Cause::kIdle:
    case SessionEnd::Cause::kLifetime:
      return SessionEvent::kExpired;
    case SessionEnd::Cause::kAbandoned:
      return SessionEvent::kAbandoned;
    default:
      return SessionEvent::kDeleted;
  }
}

}  // namespace

SessionTable::SessionTable(const Options& options, SessionPersistence persistence)
    : options_(options),
      durable_replies_(persistence.store != nullptr && persistence.durability == Durability::kEveryReply),
      token_salt_(absl::Uniform<uint64_t>(absl::BitGen())),
      ended_(options.max_ended),
      places_(options_),
      durable_(persistence.store == nullptr ? nullptr
                                            : std::make_unique<DurableSessions>(this, std::move(persistence))) {}

SessionTable::~SessionTable() {
  durable_.reset();  // answers all that is under way
  for (SessionShard& shard : shards_) {
    MutexLock lock(&shard.mutex);
    for (const std::unique_ptr<LiveSession>& session : shard.roster) {
      if (session != nullptr) session->model->metrics->sessions.live.Add(-1);
    }
  }
}

absl::Status SessionTable::Missing(absl::string_view id) const {
  absl::Status valid = ValidateSessionId(id);
  return valid.ok() ? ended_.Explain(id) : valid;
}

absl::Status SessionTable::Enter(SessionShard& shard, std::unique_ptr<LiveSession>&& session, absl::Time now,
                                 Aftermath* after) {
  if (absl::Status taken = places_.TakeOfTenant(session->id); !taken.ok()) return taken;
  if (durable_ != nullptr) durable_->OnEnter(shard, session.get(), after);  // which may free a place
  if (absl::Status taken = places_.TakeOfServer(session->id, now); !taken.ok()) return taken;
  shard.Insert(std::move(session), now);
  return absl::OkStatus();
}

absl::StatusOr<SessionInfo> SessionTable::EnterCommitted(absl::StatusOr<std::unique_ptr<LiveSession>> made,
                                                         absl::Time now) {
  if (!made.ok()) return made.status();
  SessionInfo info = InfoOf(**made, now);
  const std::string name = (*made)->id;
  absl::Status entered = EnterCommittedOnce(*std::move(made), now);
  if (SessionSweep(this).EndAbandoned(entered, name, now)) {
    // NOLINTNEXTLINE(bugprone-use-after-move): what could not enter has stayed here
    entered = EnterCommittedOnce(*std::move(made), now);
  }
  if (!entered.ok()) return entered;
  return info;
}

absl::Status SessionTable::EnterCommittedOnce(std::unique_ptr<LiveSession>&& made, absl::Time now) {
  LiveSession* const session = made.get();
  const SessionKey key(session->id);
  SessionShard& shard = ShardOf(key.hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  if (shard.Find(key) != nullptr) return absl::AlreadyExistsError(absl::StrCat("session '", IdIn(key.id), "' exists"));
  if (absl::Status entered = Enter(shard, std::move(made), now, &after); !entered.ok()) return entered;
  // Counted under the lock, before anyone can end the session: the gauge never shows fewer than none.
  session->model->metrics->sessions.Began(SessionEvent::kCreated);
  if (durable_ != nullptr) durable_->OnChange(shard, session, false);
  return absl::OkStatus();
}

absl::StatusOr<SessionInfo> SessionTable::Create(absl::string_view id, const ServedModelPtr& model,
                                                 std::optional<absl::Duration> idle_timeout, absl::Time now,
                                                 absl::Span<const float> state) {
  FreshStart fresh = FreshStartOf(model);
  std::copy(state.begin(), state.end(), fresh.state.get());
  return EnterCommitted(MakeSession(id, idle_timeout, options_, std::move(fresh), now), now);
}

absl::StatusOr<SessionInfo> SessionTable::Import(const SessionRecord& record, const ServedModelPtr& model,
                                                 absl::Time now) {
  return EnterCommitted(MakeSession(record, options_, FreshStartOf(model), now), now);
}

absl::StatusOr<std::optional<SessionLease>> SessionTable::Acquire(absl::string_view id, const ServedModelPtr* create_as,
                                                                  LeaseWaiter* waiter, absl::Time now) {
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  {
    MutexLock lock(&shard.mutex);
    if (LiveSession* session = shard.Find(key)) return Join(shard, session, create_as, waiter, now);
  }
  if (durable_ != nullptr) return durable_->LookFor(key, create_as, waiter, now);
  if (create_as == nullptr) return Missing(id);
  if (absl::Status valid = ValidateSessionId(id); !valid.ok()) return valid;
  absl::StatusOr<std::optional<SessionLease>> lease = JoinOrMake(key, create_as, waiter, now);
  if (SessionSweep(this).EndAbandoned(lease.status(), id, now)) lease = JoinOrMake(key, create_as, waiter, now);
  return lease;
}

absl::StatusOr<std::optional<SessionLease>> SessionTable::JoinOrMake(const SessionKey& key,
                                                                     const ServedModelPtr* create_as,
                                                                     LeaseWaiter* waiter, absl::Time now) {
  std::unique_ptr<LiveSession> made = NewSession(options_, key, IdleTimeoutOf(options_, **create_as), now);
  StartAt(FreshStartOf(*create_as), made.get());
  made->leased = made->provisional = true;
  if (waiter != nullptr) made->last_order = waiter->order_;
  LiveSession* const session = made.get();
  SessionShard& shard = ShardOf(key.hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  if (LiveSession* found = shard.Find(key)) return Join(shard, found, create_as, waiter, now);
  if (absl::Status entered = Enter(shard, std::move(made), now, &after); !entered.ok()) return entered;
  return SessionLease(this, session);
}

absl::StatusOr<std::optional<SessionLease>> SessionTable::Join(SessionShard& shard, LiveSession* session,
                                                               const ServedModelPtr* create_as, LeaseWaiter* waiter,
                                                               absl::Time now) {
  if (!session->leased && durable_ != nullptr && durable_->IsDoubtful(*session, now)) durable_->LetGo(shard, session);
  const RequestOrder order = waiter == nullptr ? RequestOrder() : waiter->order_;
  if (!session->leased) {
    session->leased = session->recently_used = true;
    session->lost_one = false;
    session->last_order = order;
    session->Touch(now);
    return SessionLease(this, session);
  }
  if (absl::Status may = CheckMayWait(order, options_.max_queue_per_session, session); !may.ok()) return may;
  Wait(shard, session, create_as, waiter);
  return std::optional<SessionLease>();
}

void SessionTable::Wait(SessionShard&, LiveSession* session, const ServedModelPtr* create_as, LeaseWaiter* waiter) {
  if (create_as != nullptr) waiter->create_as_ = *create_as;
  session->last_order = waiter->order_;
  session->queue.Push(waiter);
}

bool SessionTable::CancelWait(absl::string_view id, LeaseWaiter* waiter) {
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  {
    MutexLock lock(&shard.mutex);
    LiveSession* const session = shard.Find(key);
    if (session == nullptr || !session->queue.Remove(waiter)) return false;
  }
  waiter->create_as_ = nullptr;
  return true;
}

// What follows when a lease ends: who is next, who must hear, what is freed.

absl::Status SessionTable::Commit(LiveSession* session, Committed* commit, bool is_saved) {
  WriteReplyAndState(commit, session);
  SessionShard& shard = ShardOf(session->hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  session->leased = false;
  session->Touch(commit->now);
  if (!session->in_table()) {
    after.left.emplace_back(session);
    return session->standing == LiveSession::Standing::kMoved ? MovedError(session->id) : absl::OkStatus();
  }
  MoveOn(commit, session);
  if (commit->sequence->end_session) {
    End(shard, session, kEndedByRequest, is_saved, &after);
  } else {
    if (durable_ != nullptr) durable_->OnChange(shard, session, is_saved);
    PassOn(shard, session, &after);
  }
  return absl::OkStatus();
}

void SessionTable::Release(LiveSession* session, absl::Time now) {
  SessionShard& shard = ShardOf(session->hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  session->leased = false;
  session->Touch(now);
  if (!session->in_table()) {
    after.left.emplace_back(session);
  } else if (session->provisional) {
    StartAnew(shard, session, ended_.Explain(session->id), &after);
  } else {
    if (durable_ != nullptr) durable_->OnUse(shard, session);
    PassOn(shard, session, &after);
  }
}

void SessionTable::HeardThatItWentBack(absl::string_view id, int64_t position) {
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  MutexLock lock(&shard.mutex);
  LiveSession* const session = shard.Find(key);
  // One that is on its way to another server was sent there with its doubt.
  if (session == nullptr || session->loading || !session->stored.went_back || session->position != position) return;
  durable_->OnHeard(shard, session);
}

void SessionTable::PassOn(SessionShard& shard, LiveSession* session, Aftermath* after) {
  if (session->stored.wanted) return durable_->LetGo(shard, session);
  GiveToNext(session, after);
}

void SessionTable::GiveToNext(LiveSession* session, Aftermath* after) {
  LeaseWaiter* const next = session->queue.Pop();
  if (next == nullptr) return;
  session->leased = true;
  next->outcome_ = SessionLease(this, session);
  after->heard.Push(next);
}

void SessionTable::StartAnew(SessionShard& shard, LiveSession* session, const absl::Status& missing, Aftermath* after) {
  while (LeaseWaiter* const next = session->queue.Pop()) {
    after->heard.Push(next);
    if (next->create_as_ == nullptr) {
      next->outcome_ = missing;
      continue;
    }
    session->model.swap(next->create_as_);  // TellAll lets go of the old one, after the lock
    session->state = FreshStartOf(session->model).state;
    session->leased = true;
    next->outcome_ = SessionLease(this, session);
    return;
  }
  after->left.push_back(Remove(shard, session));
}

absl::StatusOr<SessionInfo> SessionTable::Get(absl::string_view id, absl::Time now) {
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  {
    MutexLock lock(&shard.mutex);
    const LiveSession* const session = shard.Find(key);
    if (session != nullptr && !session->provisional) return InfoOf(*session, now);
  }
  return Missing(id);
}

absl::Status SessionTable::Delete(absl::string_view id, absl::Time /*now*/) {
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  LiveSession* const session = shard.Find(key);
  if (session == nullptr) return Missing(id);
  if (session->loading) return Refuse(Why::kStore, absl::StrCat("session '", IdIn(id), "' is being loaded"));
  End(shard, session, {SessionEnd::Cause::kDeleted, absl::ZeroDuration()}, false, &after);
  return absl::OkStatus();
}

void SessionTable::EndWithStream(absl::string_view id, int64_t position, uint32_t serial) {
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  LiveSession* const session = shard.Find(key);
  if (session == nullptr || session->leased) return;
  if (session->position != position || !MayBeOne(session->serial, serial)) return;
  End(shard, session, {SessionEnd::Cause::kWithStream, absl::ZeroDuration()}, false, &after);
}

absl::StatusOr<size_t> SessionTable::DeleteMany(const SessionFilter& filter, std::string* page_token) {
  return SessionSweep(this).DeleteMany(filter, page_token);
}

void SessionTable::DeleteStored(StoredDeletion* deletion, CommitWaiter* waiter) {
  durable_->DeleteStored(deletion, waiter);
}

absl::StatusOr<std::vector<SessionInfo>> SessionTable::List(absl::string_view model, size_t page_size, absl::Time now,
                                                            std::string* page_token, absl::string_view tenant) {
  return ListSessions(absl::MakeSpan(shards_), token_salt_, tenant, model, page_size, now, page_token);
}

void SessionTable::End(SessionShard& shard, LiveSession* session, const SessionEnd& end, bool is_saved,
                       Aftermath* after) {
  if (!session->provisional) {
    if (durable_ != nullptr && !is_saved) durable_->OnEnd(shard, *session, end);
    session->model->metrics->sessions.Ended(EventOf(end));
  }
  ended_.Record(session->id, end);
  Detach(shard, session, LiveSession::Standing::kEnded, EndedError(session->id, end), after);
}

void SessionTable::Detach(SessionShard& shard, LiveSession* session, LiveSession::Standing standing,
                          const absl::Status& why, Aftermath* after) {
  while (LeaseWaiter* const waiter = session->queue.Pop()) {
    waiter->outcome_ = why;
    after->heard.Push(waiter);
  }
  std::unique_ptr<LiveSession> removed = Remove(shard, session);
  if (session->leased) {
    session->standing = standing;
    static_cast<void>(removed.release());
  } else {
    after->left.push_back(std::move(removed));
  }
}

std::unique_ptr<LiveSession> SessionTable::Remove(SessionShard& shard, LiveSession* session) {
  places_.GiveBack(session->id);
  return shard.Remove(session);
}

size_t SessionTable::ExpireIdle(absl::Time now) { return SessionSweep(this).ExpireIdle(now); }

// What outlives the table, if there is a store.

absl::StatusOr<bool> SessionTable::Restore(absl::string_view id, LeaseWaiter* waiter, absl::Time now) {
  return durable_ == nullptr ? true : durable_->Restore(id, waiter, now);
}

bool SessionTable::Sync(absl::string_view id, CommitWaiter* waiter, bool always) {
  const bool syncs = durable_replies_ || (always && durable_ != nullptr);
  return !syncs || durable_->Sync(id, waiter);
}

bool SessionTable::Flush(absl::Time deadline) { return durable_ == nullptr || durable_->Flush(deadline); }

size_t SessionTable::CountUnsaved() const { return durable_ == nullptr ? 0 : durable_->CountUnsaved(); }

}  // namespace rondo
