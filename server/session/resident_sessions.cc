#include "server/session/resident_sessions.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/session/session_errors.h"
#include "server/session/session_id.h"
#include "server/session/session_value.h"

namespace rondo {

ResidentSessions::ResidentSessions(const SessionOptions& options) : options_(options), ended_(options.max_ended) {}

ResidentSessions::~ResidentSessions() {
  for (SessionShard& shard : shards_) {
    MutexLock lock(&shard.mutex);
    for (const std::unique_ptr<LiveSession>& session : shard.roster) {
      if (session != nullptr) session->model->metrics->sessions.live.Add(-1);
    }
  }
}

absl::Status ResidentSessions::Missing(absl::string_view id) const {
  absl::Status valid = ValidateSessionId(id);
  return valid.ok() ? ended_.Explain(id) : valid;
}

// Making sessions.

std::unique_ptr<LiveSession> ResidentSessions::NewSession(const SessionKey& key, absl::Time now) const {
  auto session = std::make_unique<LiveSession>();
  session->hash = key.hash;
  session->id = std::string(key.id);
  session->idle_timeout_ns = absl::ToInt64Nanoseconds(options_.idle_timeout);  // saturates at kForever
  session->last_used_ns = absl::ToUnixNanos(now);
  return session;
}

FreshStart ResidentSessions::FreshStartOf(const ServedModelPtr& model) {
  return {model, states_.TakeZeroed(static_cast<size_t>(model->spec().state_size()))};
}

void ResidentSessions::StartFromZero(const ServedModelPtr& model, LiveSession* session) {
  FreshStart fresh = FreshStartOf(model);
  session->model = std::move(fresh.model);
  session->state = std::move(fresh.state);
}

absl::Status ResidentSessions::Enter(SessionShard& shard, std::unique_ptr<LiveSession>&& session, absl::Time now,
                                     LeftSessions* left) {
  if (keeper_ != nullptr) keeper_->OnEnter(shard, session.get(), left);
  size_t live = live_.load(std::memory_order_relaxed);
  do {
    if (live >= options_.max_sessions) {
      return Refuse(Why::kSessionsFull, absl::StrCat("the server holds ", live, " sessions, the most it may"));
    }
  } while (!live_.compare_exchange_weak(live, live + 1, std::memory_order_relaxed));
  shard.Insert(std::move(session), now);
  return absl::OkStatus();
}

absl::StatusOr<SessionInfo> ResidentSessions::EnterCommitted(const SessionKey& key, std::unique_ptr<LiveSession> made,
                                                             absl::Time now) {
  SessionInfo info = InfoOf(*made, now);
  LiveSession* const session = made.get();
  SessionShard& shard = ShardOf(key.hash);
  LeftSessions left;
  MutexLock lock(&shard.mutex);
  if (shard.Find(key) != nullptr) return absl::AlreadyExistsError(absl::StrCat("session '", key.id, "' exists"));
  if (absl::Status entered = Enter(shard, std::move(made), now, &left); !entered.ok()) return entered;
  // Counted under the lock, before anyone can end the session: the gauge never shows fewer than none.
  session->model->metrics->sessions.Began(SessionEvent::kCreated);
  if (keeper_ != nullptr) keeper_->OnChange(shard, session, false);
  return info;
}

absl::StatusOr<SessionInfo> ResidentSessions::Create(absl::string_view id, const ServedModelPtr& model,
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
  std::unique_ptr<LiveSession> session = NewSession(key, now);
  if (idle_timeout) session->idle_timeout_ns = absl::ToInt64Nanoseconds(*idle_timeout);
  StartFromZero(model, session.get());
  return EnterCommitted(key, std::move(session), now);
}

absl::StatusOr<SessionInfo> ResidentSessions::Import(const SessionRecord& record, const ServedModelPtr& model,
                                                     absl::Time now) {
  if (absl::Status valid = ValidateSessionId(record.id); !valid.ok()) return valid;
  if (absl::Status shape = CheckShape(record, *model->model); !shape.ok()) return shape;
  const SessionKey key(record.id);
  std::unique_ptr<LiveSession> session = NewSession(key, now);
  const absl::Duration longest = std::max(options_.max_idle_timeout, options_.idle_timeout);
  session->idle_timeout_ns = std::min(record.idle_timeout_ns, absl::ToInt64Nanoseconds(longest));
  StartFromZero(model, session.get());
  GoOnFrom(record, session.get());
  return EnterCommitted(key, std::move(session), now);
}

// Giving leases.

absl::StatusOr<std::optional<SessionLease>> ResidentSessions::Acquire(absl::string_view id,
                                                                      const ServedModelPtr* create_as,
                                                                      LeaseWaiter* waiter, absl::Time now) {
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  {
    MutexLock lock(&shard.mutex);
    if (LiveSession* session = shard.Find(key)) return Join(shard, session, create_as, waiter, now);
  }
  if (keeper_ != nullptr) return keeper_->LookFor(key, create_as, waiter, now);
  if (create_as == nullptr) return Missing(id);
  if (absl::Status valid = ValidateSessionId(id); !valid.ok()) return valid;
  std::unique_ptr<LiveSession> made = NewSession(key, now);
  StartFromZero(*create_as, made.get());
  made->leased = made->provisional = true;
  LiveSession* const entered = made.get();
  LeftSessions left;
  MutexLock lock(&shard.mutex);
  if (LiveSession* session = shard.Find(key)) return Join(shard, session, create_as, waiter, now);
  if (absl::Status status = Enter(shard, std::move(made), now, &left); !status.ok()) return status;
  return SessionLease(this, entered);
}

absl::StatusOr<std::optional<SessionLease>> ResidentSessions::Join(SessionShard& shard, LiveSession* session,
                                                                   const ServedModelPtr* create_as, LeaseWaiter* waiter,
                                                                   absl::Time now) {
  if (!session->leased) {
    session->leased = session->recently_used = true;
    session->Touch(now);
    return SessionLease(this, session);
  }
  if (session->queue.size() >= options_.max_queue_per_session) {
    return Refuse(Why::kQueueFull, absl::StrCat("session '", session->id, "' is busy and ", session->queue.size(),
                                                " requests wait for it, the most that may"));
  }
  Wait(shard, session, create_as, waiter);
  return std::optional<SessionLease>();
}

void ResidentSessions::Wait(SessionShard&, LiveSession* session, const ServedModelPtr* create_as, LeaseWaiter* waiter) {
  if (create_as != nullptr) waiter->create_as_ = *create_as;
  session->queue.Push(waiter);
}

bool ResidentSessions::CancelWait(absl::string_view id, LeaseWaiter* waiter) {
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

absl::Status ResidentSessions::Commit(LiveSession* session, Committed* commit, bool is_saved) {
  WriteReplyAndState(commit, session);
  SessionShard& shard = ShardOf(session->hash);
  WaitQueue heard;
  std::unique_ptr<LiveSession> gone;
  ModelMetrics* ended = nullptr;
  absl::Status status;
  {
    MutexLock lock(&shard.mutex);
    session->leased = false;
    session->Touch(commit->now);
    if (!session->in_table()) {
      if (session->standing == LiveSession::Standing::kMoved) status = MovedError(session->id);
      gone.reset(session);
    } else {
      MoveOn(commit, session);
      if (commit->sequence->end_session) {
        ended = session->model->metrics;
        gone = End(shard, session, kEndedByRequest, is_saved, &heard);
      } else {
        if (keeper_ != nullptr) keeper_->OnChange(shard, session, is_saved);
        PassOn(shard, session, &heard);
      }
    }
  }
  if (ended != nullptr) ended->sessions.Ended(SessionEvent::kDeleted);
  heard.TellAll();
  return status;
}

void ResidentSessions::Release(LiveSession* session, absl::Time now) {
  SessionShard& shard = ShardOf(session->hash);
  WaitQueue heard;
  std::unique_ptr<LiveSession> gone;
  {
    MutexLock lock(&shard.mutex);
    session->leased = false;
    session->Touch(now);
    if (!session->in_table()) {
      gone.reset(session);
    } else if (session->provisional) {
      gone = StartAnew(shard, session, ended_.Explain(session->id), &heard);
    } else {
      if (keeper_ != nullptr) keeper_->OnUse(shard, session);
      PassOn(shard, session, &heard);
    }
  }
  heard.TellAll();
}

void ResidentSessions::PassOn(SessionShard&, LiveSession* session, WaitQueue* heard) {
  LeaseWaiter* const next = session->queue.Pop();
  if (next == nullptr) return;
  session->leased = true;
  next->outcome_ = SessionLease(this, session);
  heard->Push(next);
}

std::unique_ptr<LiveSession> ResidentSessions::StartAnew(SessionShard& shard, LiveSession* session,
                                                         const absl::Status& missing, WaitQueue* heard) {
  while (LeaseWaiter* const next = session->queue.Pop()) {
    heard->Push(next);
    if (next->create_as_ == nullptr) {
      next->outcome_ = missing;
      continue;
    }
    session->model.swap(next->create_as_);  // TellAll lets go of the old one, after the lock
    session->state = states_.TakeZeroed(static_cast<size_t>(session->model->spec().state_size()));
    session->leased = true;
    next->outcome_ = SessionLease(this, session);
    return nullptr;
  }
  return Remove(shard, session);
}

SessionRecord ResidentSessions::Export(const LiveSession& session) {
  SessionShard& shard = ShardOf(session.hash);
  MutexLock lock(&shard.mutex);
  return RecordOf(ViewOf(session));
}

// Looking at sessions, and ending them.

absl::StatusOr<SessionInfo> ResidentSessions::Get(absl::string_view id, absl::Time now) {
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  {
    MutexLock lock(&shard.mutex);
    const LiveSession* const session = shard.Find(key);
    if (session != nullptr && !session->provisional) return InfoOf(*session, now);
  }
  return Missing(id);
}

absl::Status ResidentSessions::Delete(absl::string_view id) {
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
    ended = End(shard, session, {SessionEnd::Cause::kDeleted, absl::ZeroDuration()}, false, &heard);
  }
  if (metrics != nullptr) metrics->sessions.Ended(SessionEvent::kDeleted);
  heard.TellAll();
  return absl::OkStatus();
}

std::unique_ptr<LiveSession> ResidentSessions::End(SessionShard& shard, LiveSession* session, const SessionEnd& end,
                                                   bool is_saved, WaitQueue* heard) {
  if (keeper_ != nullptr && !session->provisional && !is_saved) keeper_->OnEnd(shard, *session, end);
  ended_.Record(session->id, end);
  return Detach(shard, session, LiveSession::Standing::kEnded, EndedError(session->id, end), heard);
}

std::unique_ptr<LiveSession> ResidentSessions::Detach(SessionShard& shard, LiveSession* session,
                                                      LiveSession::Standing standing, const absl::Status& why,
                                                      WaitQueue* heard) {
  while (LeaseWaiter* const waiter = session->queue.Pop()) {
    waiter->outcome_ = why;
    heard->Push(waiter);
  }
  std::unique_ptr<LiveSession> removed = Remove(shard, session);
  if (session->leased) {
    session->standing = standing;
    static_cast<void>(removed.release());
  }
  return removed;
}

std::unique_ptr<LiveSession> ResidentSessions::Remove(SessionShard& shard, LiveSession* session) {
  live_.fetch_sub(1, std::memory_order_relaxed);
  return shard.Remove(session);
}

size_t ResidentSessions::ExpireIdle(absl::Time now) {
  size_t expired = 0;
  for (SessionShard& shard : shards_) {
    while (ExpireSome(shard, now, &expired)) {
    }
  }
  return expired;
}

bool ResidentSessions::ExpireSome(SessionShard& shard, absl::Time now, size_t* expired) {
  constexpr size_t kMaxLooks = 128;  // some microseconds under the lock
  std::vector<LiveSession*> idle;
  LeftSessions gone;
  WaitQueue heard;  // stays empty: who is waited for is leased
  bool more = false;
  {
    MutexLock lock(&shard.mutex);
    more = shard.FindIdle(now, kMaxLooks, &idle);
    for (LiveSession* const session : idle) {
      gone.push_back(End(shard, session, {SessionEnd::Cause::kIdle, session->IdleFor(now)}, false, &heard));
    }
  }
  for (const std::unique_ptr<LiveSession>& session : gone) {
    session->model->metrics->sessions.Ended(SessionEvent::kExpired);
  }
  *expired += gone.size();
  return more;
}

}  // namespace rondo
