// What follows when a lease ends or a session does: who is next, who must hear, what is freed.

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/session/session_table_impl.h"

namespace rondo {
namespace {

// Keeps what a replay needs. The reply reuses its memory, but a session that once had a long reply gives the rest back.
void KeepForReplay(const CommittedSequence& sequence, bool restarts, LiveSession* session) {
  constexpr size_t kKeptFloats = 256;
  session->last_timesteps = sequence.timesteps;
  session->last_fingerprint = sequence.fingerprint;
  if (sequence.last_time || restarts) session->last_time = sequence.last_time;
  std::vector<float>& reply = session->last_reply;
  if (reply.capacity() > kKeptFloats && sequence.reply.size() < reply.capacity() / 4) std::vector<float>().swap(reply);
  if (reply.capacity() < sequence.reply.size()) {
    std::vector<float>().swap(reply);
    reply.reserve(sequence.reply.size());
  }
  reply.assign(sequence.reply.begin(), sequence.reply.end());
}

// The session as of now, and *fresh as it was. REQUIRES: its shard's lock.
void RestartAs(FreshStart* fresh, LiveSession* session) {
  fresh->model->metrics->sessions.events[SessionEvent::kRestarted].Add();
  if (!session->provisional) {
    fresh->model->metrics->sessions.live.Add(1);
    session->model->metrics->sessions.live.Add(-1);
  }
  std::swap(session->model, fresh->model);
  std::swap(session->state, fresh->state);
  session->position = 0;
}

// *adopter is the model that is left then. REQUIRES: the session's shard's lock.
void GoOnAs(ServedModelPtr* adopter, LiveSession* session) {
  (*adopter)->metrics->sessions.events[SessionEvent::kAdopted].Add();
  if (!session->provisional) {
    (*adopter)->metrics->sessions.live.Add(1);
    session->model->metrics->sessions.live.Add(-1);
  }
  std::swap(session->model, *adopter);
}

int64_t Advance(int64_t position, int64_t timesteps) {
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
  return timesteps > kLast - position ? kLast : position + timesteps;
}

}  // namespace

absl::Status MovedError(absl::string_view id) {
  return Refuse(Why::kMoved, absl::StrCat("session '", id,
                                          "' has moved to another server; a retry here takes it back as it is there"));
}

SessionBacking::End EndOf(const LiveSession& session, const SessionEnd& end) {
  return {session.id, ReasonOf(end), session.epoch, session.idle_timeout_ns};
}

absl::Status SessionTable::Impl::EndLease(LiveSession* session, LeaseEnd* end) {
  const CommittedSequence* const committed = end->committed;
  const bool restarts = committed != nullptr && end->fresh.model != nullptr;
  if (committed != nullptr) KeepForReplay(*committed, restarts, session);
  if (committed != nullptr && end->next_state.get() != nullptr) std::swap(session->state, end->next_state);
  const bool adopts = committed != nullptr && end->adopter != nullptr;
  ModelMetrics* const metrics = (restarts ? end->fresh.model : adopts ? end->adopter : session->model)->metrics;
  SessionShard& shard = ShardOf(session->hash);
  WaitQueue heard;
  std::unique_ptr<LiveSession> gone;
  bool ended = false;
  absl::Status status;
  {
    MutexLock lock(&shard.mutex);
    session->leased = false;
    session->Touch(end->now);
    if (session->detached) {
      if (session->moved && committed != nullptr) status = MovedError(session->id);
      gone.reset(session);
    } else if (committed != nullptr) {
      if (restarts) RestartAs(&end->fresh, session);
      if (adopts) GoOnAs(&end->adopter, session);
      session->position = Advance(session->position, committed->timesteps);
      if (std::exchange(session->provisional, false)) metrics->sessions.Began(SessionEvent::kCreated);
      ended = committed->end_session;
      if (ended) {
        gone = end->durable ? DetachEnded(shard, session, kEndedByRequest, &heard)
                            : Retire(shard, session, kEndedByRequest, &heard);
      } else {
        NoteChange(shard, session, end->durable);
        PassOn(shard, session, &heard);
      }
    } else if (session->provisional) {
      gone = StartAnew(shard, session, ended_.Explain(session->id), &heard);
    } else {
      NoteUse(shard, session);
      if (session->save_when_free) SaveNow(shard, session, nullptr);
      PassOn(shard, session, &heard);
    }
  }
  if (ended) metrics->sessions.Ended(SessionEvent::kDeleted);
  heard.TellAll();
  return status;
}

void SessionTable::Impl::PassOn(SessionShard&, LiveSession* session, WaitQueue* heard) {
  LeaseWaiter* const next = session->queue.Pop();
  if (next == nullptr) return;
  session->leased = true;
  next->outcome_ = SessionLease(table_, session);
  heard->Push(next);
}

std::unique_ptr<LiveSession> SessionTable::Impl::StartAnew(SessionShard& shard, LiveSession* session,
                                                           const absl::Status& missing, WaitQueue* heard) {
  while (LeaseWaiter* const next = session->queue.Pop()) {
    heard->Push(next);
    if (next->create_as_ == nullptr) {
      next->outcome_ = missing;
      continue;
    }
    session->model.swap(next->create_as_);  // the old one is let go after the lock
    session->state = states_.TakeZeroed(static_cast<size_t>(session->model->spec().state_size()));
    session->leased = true;
    next->outcome_ = SessionLease(table_, session);
    return nullptr;
  }
  live_.fetch_sub(1, std::memory_order_relaxed);
  return shard.Remove(session);
}

std::unique_ptr<LiveSession> SessionTable::Impl::Detach(SessionShard& shard, LiveSession* session,
                                                        const absl::Status& why, WaitQueue* heard) {
  while (LeaseWaiter* const waiter = session->queue.Pop()) {
    waiter->outcome_ = why;
    heard->Push(waiter);
  }
  live_.fetch_sub(1, std::memory_order_relaxed);
  std::unique_ptr<LiveSession> removed = shard.Remove(session);
  if (session->leased) {
    session->detached = true;
    static_cast<void>(removed.release());
  }
  return removed;
}

std::unique_ptr<LiveSession> SessionTable::Impl::DetachEnded(SessionShard& shard, LiveSession* session,
                                                             const SessionEnd& end, WaitQueue* heard) {
  ended_.Record(session->id, end);
  return Detach(shard, session, EndedError(session->id, end), heard);
}

std::unique_ptr<LiveSession> SessionTable::Impl::Retire(SessionShard& shard, LiveSession* session,
                                                        const SessionEnd& end, WaitQueue* heard) {
  if (backing_ != nullptr && !session->provisional) {
    backing_->SaveEnd(EndOf(*session, end));
  }
  return DetachEnded(shard, session, end, heard);
}

size_t SessionTable::Impl::ExpireIdle(absl::Time now) {
  size_t expired = 0;
  for (SessionShard& shard : shards_) {
    while (ExpireSome(shard, now, &expired)) {
    }
  }
  return expired;
}

bool SessionTable::Impl::ExpireSome(SessionShard& shard, absl::Time now, size_t* expired) {
  constexpr size_t kMaxLooks = 128;  // some microseconds under the lock
  std::vector<ExpiryWheel::Entry*> due;
  std::vector<std::unique_ptr<LiveSession>> gone;
  WaitQueue heard;  // stays empty: who is waited for is leased
  bool more = false;
  {
    MutexLock lock(&shard.mutex);
    more = shard.wheel.Sweep(now, kMaxLooks, &due);
    for (ExpiryWheel::Entry* const entry : due) {
      auto* const session = static_cast<LiveSession*>(entry);
      if (session->leased) session->Touch(now);
      if (session->leased || session->expires_at_ns() > absl::ToUnixNanos(now)) {
        shard.WatchIdle(session, now);
      } else {
        const absl::Duration idle = session->IdleFor(now);
        gone.push_back(Retire(shard, session, {SessionEnd::Cause::kIdle, idle}, &heard));
      }
    }
  }
  for (const std::unique_ptr<LiveSession>& session : gone) {
    session->model->metrics->sessions.Ended(SessionEvent::kExpired);
  }
  *expired += gone.size();
  return more;
}

}  // namespace rondo
