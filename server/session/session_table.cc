#include "server/session/session_table.h"

#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/session/session_id.h"
#include "server/session/session_table_impl.h"

namespace rondo {

SessionTable::SessionTable(const Options& options, SessionPersistence persistence)
    : impl_(std::make_unique<Impl>(options, std::move(persistence), this)) {}

SessionTable::~SessionTable() = default;

absl::StatusOr<SessionInfo> SessionTable::Create(absl::string_view id, const ServedModelPtr& model,
                                                 std::optional<absl::Duration> idle_timeout, absl::Time now) {
  return impl_->Create(id, model, idle_timeout, now);
}

absl::StatusOr<std::optional<SessionLease>> SessionTable::Acquire(absl::string_view id, const ServedModelPtr* create_as,
                                                                  LeaseWaiter* waiter, absl::Time now) {
  return impl_->Acquire(id, create_as, waiter, now);
}

bool SessionTable::CancelWait(absl::string_view id, LeaseWaiter* waiter) { return impl_->CancelWait(id, waiter); }

SessionLease SessionTable::AcquireStateless(const ServedModelPtr& model) { return SessionLease(this, model); }

absl::StatusOr<SessionInfo> SessionTable::Get(absl::string_view id, absl::Time now) const {
  return impl_->Get(id, now);
}

absl::Status SessionTable::Delete(absl::string_view id, absl::Time /*now*/) { return impl_->Delete(id); }

absl::StatusOr<std::vector<SessionInfo>> SessionTable::List(absl::string_view model, size_t page_size, absl::Time now,
                                                            std::string* page_token) const {
  return impl_->List(model, page_size, now, page_token);
}

size_t SessionTable::ExpireIdle(absl::Time now) { return impl_->ExpireIdle(now); }

absl::StatusOr<bool> SessionTable::Restore(absl::string_view id, LeaseWaiter* waiter, absl::Time now) {
  return impl_->Restore(id, waiter, now);
}

bool SessionTable::Sync(absl::string_view id, CommitWaiter* waiter) { return impl_->Sync(id, waiter); }

bool SessionTable::Flush(absl::Time deadline) { return impl_->Flush(deadline); }

bool SessionTable::has_store() const { return impl_->has_store(); }

bool SessionTable::durable_replies() const { return impl_->commits_wait(); }

size_t SessionTable::size() const { return impl_->size(); }

size_t SessionTable::state_bytes() const { return impl_->states().bytes(); }

SessionTable::Impl::Impl(const Options& options, SessionPersistence persistence, SessionTable* table)
    : options_(options),
      table_(table),
      token_salt_(absl::Uniform<uint64_t>(absl::BitGen())),
      ended_(options.max_ended),
      store_metrics_(persistence.metrics) {
  if (persistence.store == nullptr) return;
  backing_ = std::make_unique<SessionBacking>(std::move(persistence));
  backing_->Start([this](absl::Time) { Tick(); });
}

SessionTable::Impl::~Impl() {
  if (backing_ != nullptr) backing_->Stop();  // all that is under way is answered
  for (SessionShard& shard : shards_) {
    MutexLock lock(&shard.mutex);
    for (const std::unique_ptr<LiveSession>& session : shard.roster) {
      if (session != nullptr) session->model->metrics->sessions.live.Add(-1);
    }
  }
}

absl::Status SessionTable::Impl::Missing(absl::string_view id) const {
  absl::Status valid = ValidateSessionId(id);
  return valid.ok() ? ended_.Explain(id) : valid;
}

std::unique_ptr<LiveSession> SessionTable::Impl::NewSession(const SessionKey& key, const ServedModelPtr& model,
                                                            absl::Duration idle_timeout, absl::Time now) {
  auto session = std::make_unique<LiveSession>();
  session->hash = key.hash;
  session->id = std::string(key.id);
  session->idle_timeout_ns = absl::ToInt64Nanoseconds(idle_timeout);  // saturates at kForever
  session->model = model;
  session->state = states_.TakeZeroed(static_cast<size_t>(model->spec().state_size()));
  session->last_used_ns = absl::ToUnixNanos(now);
  return session;
}

absl::Status SessionTable::Impl::Enter(SessionShard& shard, std::unique_ptr<LiveSession>&& session, absl::Time now) {
  if (backing_ != nullptr) MakeRoom(shard);
  size_t live = live_.load(std::memory_order_relaxed);
  do {
    if (live >= options_.max_sessions) {
      return Refuse(Why::kSessionsFull, absl::StrCat("the server holds ", live, " sessions, the most it may"));
    }
  } while (!live_.compare_exchange_weak(live, live + 1, std::memory_order_relaxed));
  session->saved_change = session->change = ++shard.changes;
  shard.Insert(std::move(session), now);
  return absl::OkStatus();
}

absl::StatusOr<SessionInfo> SessionTable::Impl::Create(absl::string_view id, const ServedModelPtr& model,
                                                       std::optional<absl::Duration> idle_timeout, absl::Time now) {
  std::string random_id;
  if (id.empty()) {
    absl::StatusOr<std::string> made = RandomSessionId();
    if (!made.ok()) return made.status();
    random_id = *std::move(made);
    id = random_id;
  }
  if (absl::Status valid = ValidateSessionId(id); !valid.ok()) return valid;
  if (idle_timeout && (*idle_timeout <= absl::ZeroDuration() || *idle_timeout > options_.max_idle_timeout)) {
    return absl::InvalidArgumentError(absl::StrCat("idle timeout is ", absl::FormatDuration(*idle_timeout),
                                                   "; wanted more than 0 and at most ",
                                                   absl::FormatDuration(options_.max_idle_timeout)));
  }
  const SessionKey key(id);
  std::unique_ptr<LiveSession> session = NewSession(key, model, idle_timeout.value_or(options_.idle_timeout), now);
  SessionInfo info = InfoOf(*session, now);
  LiveSession* const created = session.get();
  SessionShard& shard = ShardOf(key.hash);
  {
    MutexLock lock(&shard.mutex);
    if (shard.Find(key) != nullptr) return absl::AlreadyExistsError(absl::StrCat("session '", id, "' exists"));
    if (absl::Status entered = Enter(shard, std::move(session), now); !entered.ok()) return entered;
    // Counted under the lock, before anyone can end it: the gauge never shows fewer than none.
    model->metrics->sessions.Began(SessionEvent::kCreated);
    NoteChange(shard, created, false);
  }
  return info;
}

absl::StatusOr<std::optional<SessionLease>> SessionTable::Impl::Acquire(absl::string_view id,
                                                                        const ServedModelPtr* create_as,
                                                                        LeaseWaiter* waiter, absl::Time now) {
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  {
    MutexLock lock(&shard.mutex);
    if (LiveSession* session = shard.Find(key)) return Join(shard, session, create_as, waiter, now);
  }
  if (backing_ != nullptr) return StartLoad(key, create_as, waiter, now);
  if (create_as == nullptr) return Missing(id);
  if (absl::Status valid = ValidateSessionId(id); !valid.ok()) return valid;
  std::unique_ptr<LiveSession> made = NewSession(key, *create_as, options_.idle_timeout, now);
  made->leased = made->provisional = true;
  LiveSession* const entered = made.get();
  MutexLock lock(&shard.mutex);
  if (LiveSession* session = shard.Find(key)) return Join(shard, session, create_as, waiter, now);
  if (absl::Status status = Enter(shard, std::move(made), now); !status.ok()) return status;
  return SessionLease(table_, entered);
}

absl::StatusOr<std::optional<SessionLease>> SessionTable::Impl::Join(SessionShard&, LiveSession* session,
                                                                     const ServedModelPtr* create_as,
                                                                     LeaseWaiter* waiter, absl::Time now) {
  if (!session->leased) {
    session->leased = session->recently_used = true;
    session->Touch(now);
    return SessionLease(table_, session);
  }
  if (session->queue.size() >= options_.max_queue_per_session) {
    return Refuse(Why::kQueueFull, absl::StrCat("session '", session->id, "' is busy and ", session->queue.size(),
                                                " requests wait for it, the most that may"));
  }
  if (create_as != nullptr) waiter->create_as_ = *create_as;
  session->queue.Push(waiter);
  return std::optional<SessionLease>();
}

bool SessionTable::Impl::CancelWait(absl::string_view id, LeaseWaiter* waiter) {
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

absl::StatusOr<SessionInfo> SessionTable::Impl::Get(absl::string_view id, absl::Time now) {
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  {
    MutexLock lock(&shard.mutex);
    const LiveSession* const session = shard.Find(key);
    if (session != nullptr && !session->provisional) return InfoOf(*session, now);
  }
  return Missing(id);
}

absl::Status SessionTable::Impl::Delete(absl::string_view id) {
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  WaitQueue heard;
  std::unique_ptr<LiveSession> ended;
  ModelMetrics* metrics = nullptr;
  {
    MutexLock lock(&shard.mutex);
    LiveSession* const session = shard.Find(key);
    if (session == nullptr) return Missing(id);
    if (session->loading) return Refuse(Why::kStore, absl::StrCat("session '", id, "' is being loaded"));
    if (!session->provisional) metrics = session->model->metrics;
    ended = Retire(shard, session, {SessionEnd::Cause::kDeleted, absl::ZeroDuration()}, &heard);
  }
  if (metrics != nullptr) metrics->sessions.Ended(SessionEvent::kDeleted);
  heard.TellAll();
  return absl::OkStatus();
}

}  // namespace rondo
