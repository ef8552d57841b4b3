// How changes reach the store.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/session/session_table_impl.h"
#include "server/store/recorded_model.h"

namespace rondo {
namespace {

constexpr size_t kSavesPerLock = 16;    // some ten microseconds under a shard's lock
constexpr size_t kSavesWhileAway = 64;  // of a tick, to find out whether a store that failed is back
constexpr int64_t kNotedUsesPerTimeout = 8;
constexpr absl::Duration kFlushRetry = absl::Milliseconds(50);

// `session` as `end` will leave it.
SessionView ViewAfter(const LiveSession& session, const LeaseEnd& end) {
  SessionView view = ViewOf(session);
  const CommittedSequence& committed = *end.committed;
  const bool restarts = end.fresh.model != nullptr;
  const ServedModelPtr& next_model = restarts ? end.fresh.model : end.adopter;
  const Model& model = *(next_model != nullptr ? next_model : session.model)->model;
  if (next_model != nullptr) view.model = RecordedModelOf(model);
  const float* const state = restarts ? end.fresh.state.get() : end.next_state.get();
  if (state != nullptr) view.state = {state, static_cast<size_t>(model.spec().state_size())};
  view.position = (restarts ? 0 : session.position) + committed.timesteps;
  view.last_timesteps = committed.timesteps;
  view.last_fingerprint = committed.fingerprint;
  if (committed.last_time || restarts) view.last_time = committed.last_time;
  view.last_reply = committed.reply;
  view.last_used_ns = std::max(view.last_used_ns, absl::ToUnixNanos(end.now));
  return view;
}

}  // namespace

void SessionTable::Impl::NoteChange(SessionShard& shard, LiveSession* session, bool durable) {
  if (backing_ == nullptr) return;
  session->change = ++shard.changes;
  session->noted_used_ns = session->last_used_ns;
  if (durable) {
    session->dirty = session->save_when_free = false;
    session->saved_change = session->change;
    session->durable_position.store(session->position, std::memory_order_relaxed);
    return;
  }
  if (session->save_when_free) return SaveNow(shard, session, nullptr);
  MarkDirty(shard, session);
}

void SessionTable::Impl::NoteUse(SessionShard& shard, LiveSession* session) {
  if (session->idle_timeout_ns == LiveSession::kForever) return;
  if (session->last_used_ns - session->noted_used_ns <= session->idle_timeout_ns / kNotedUsesPerTimeout) return;
  NoteChange(shard, session, false);
}

void SessionTable::Impl::MarkDirty(SessionShard& shard, LiveSession* session) {
  if (std::exchange(session->dirty, true)) return;
  shard.dirty.push_back(session->place);
}

void SessionTable::Impl::SaveNow(SessionShard&, LiveSession* session, CommitWaiter* waiter) {
  session->dirty = session->save_when_free = false;
  auto saved = [this, id = session->id, change = session->change, position = session->position,
                waiter](const absl::Status& status) {
    OnSaved(id, change, position, status);
    if (waiter != nullptr) waiter->OnCommitted(StoreRefusal(status));
  };
  backing_->Save(ViewOf(*session), session->epoch, std::move(saved));
}

void SessionTable::Impl::NoteStore(const absl::Status& saved) {
  const bool away = IsAway(saved);
  if (store_is_away_.load(std::memory_order_relaxed) == away) return;
  store_is_away_.store(away, std::memory_order_relaxed);
  if (!away) WakeForTick();  // for all that could not be saved meanwhile
}

void SessionTable::Impl::WakeForTick() {
  if (!woken_.exchange(true, std::memory_order_relaxed)) backing_->Wake();
}

void SessionTable::Impl::OnSaved(const std::string& id, uint64_t change, int64_t position, const absl::Status& status) {
  NoteStore(status);
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  WaitQueue heard;
  std::unique_ptr<LiveSession> gone;
  {
    MutexLock lock(&shard.mutex);
    LiveSession* const session = shard.Find(key);
    if (session == nullptr || change <= session->saved_change) return;
    if (status.ok()) {
      session->saved_change = change;
      session->durable_position.store(position, std::memory_order_relaxed);
    } else if (absl::IsAborted(status)) {
      gone = Lose(shard, session, &heard);
    } else if (!session->save_when_free) {
      MarkDirty(shard, session);
    }
  }
  heard.TellAll();
}

std::unique_ptr<LiveSession> SessionTable::Impl::Lose(SessionShard& shard, LiveSession* session, WaitQueue* heard) {
  session->moved = true;
  session->model->metrics->sessions.events[SessionEvent::kMoved].Add();
  if (!session->provisional) session->model->metrics->sessions.live.Add(-1);
  return Detach(shard, session, MovedError(session->id), heard);
}

void SessionTable::Impl::Tick() {
  woken_.store(false, std::memory_order_relaxed);
  backing_->RetryEnds();
  SaveDirty();
  EvictCold();
}

void SessionTable::Impl::SaveDirty() {
  size_t left = store_is_away_.load(std::memory_order_relaxed) ? kSavesWhileAway : options_.max_sessions;
  size_t unsaved = 0;
  for (SessionShard& shard : shards_) {
    std::vector<uint32_t> places;
    {
      MutexLock lock(&shard.mutex);
      places.swap(shard.dirty);
      shard.dirty.swap(shard.spare_dirty);
    }
    unsaved += places.size();
    const size_t taken = std::min(left, places.size());
    for (size_t from = 0; from < taken; from += kSavesPerLock) {
      SaveSome(shard, absl::MakeConstSpan(places).subspan(from, std::min(kSavesPerLock, taken - from)));
    }
    left -= taken;
    MutexLock lock(&shard.mutex);
    shard.dirty.insert(shard.dirty.end(), places.begin() + static_cast<std::ptrdiff_t>(taken), places.end());
    places.clear();
    if (places.capacity() > shard.spare_dirty.capacity()) shard.spare_dirty.swap(places);
  }
  store_metrics_->sessions()->unsaved.Set(static_cast<int64_t>(unsaved));
}

void SessionTable::Impl::SaveSome(SessionShard& shard, absl::Span<const uint32_t> places) {
  MutexLock lock(&shard.mutex);
  for (const uint32_t place : places) {
    LiveSession* const session = shard.roster[place].get();
    if (session == nullptr || !session->dirty) continue;  // the session that was here is gone, or was saved
    if (session->leased) {
      session->save_when_free = true;
    } else {
      SaveNow(shard, session, nullptr);
    }
  }
}

void SessionTable::Impl::SaveThenEndLease(LiveSession* session, LeaseEnd end, CommitWaiter* waiter) {
  const bool ends = end.committed->end_session;
  const auto pending = std::make_shared<LeaseEnd>(std::move(end));
  auto saved = [this, session, pending, waiter](const absl::Status& status) {
    waiter->OnCommitted(FinishCommit(session, pending.get(), status));
  };
  SessionShard& shard = ShardOf(session->hash);
  {
    MutexLock lock(&shard.mutex);
    if (!session->detached) {
      if (ends) {
        return backing_->TryEnd(EndOf(*session, kEndedByRequest), std::move(saved));
      }
      return backing_->Save(ViewAfter(*session, *pending), session->epoch, std::move(saved));
    }
  }
  waiter->OnCommitted(EndLease(session, pending.get()));
}

absl::Status SessionTable::Impl::FinishCommit(LiveSession* session, LeaseEnd* end, const absl::Status& saved) {
  NoteStore(saved);
  if (saved.ok()) {
    end->durable = true;
    return EndLease(session, end);
  }
  absl::Status status = StoreRefusal(saved);
  SessionShard& shard = ShardOf(session->hash);
  WaitQueue heard;
  {
    MutexLock lock(&shard.mutex);
    if (absl::IsAborted(saved)) {
      status = MovedError(session->id);
      if (!session->detached) static_cast<void>(Lose(shard, session, &heard));  // leased: it stays its lease's
    } else if (end->committed->end_session && !session->detached && !session->provisional) {
      session->change = ++shard.changes;  // the end may have been written all the same, and the session lives
      MarkDirty(shard, session);
    }
  }
  heard.TellAll();
  end->committed = nullptr;
  EndLease(session, end).IgnoreError();
  return status;
}

bool SessionTable::Impl::Sync(absl::string_view id, CommitWaiter* waiter) {
  if (!commits_wait()) return true;
  const SessionKey key(id);
  SessionShard& shard = ShardOf(key.hash);
  MutexLock lock(&shard.mutex);
  LiveSession* const session = shard.Find(key);
  if (session == nullptr) {  // it was deleted: the answer comes behind its end's, and says whether that took effect
    backing_->Load(id, [waiter](const SessionBacking::Found& found) {
      waiter->OnCommitted(found.record ? Refuse(Why::kStore, "the session's end could not be stored") : found.status);
    });
    return false;
  }
  if (session->change == session->saved_change) return true;
  if (session->leased) {  // already someone works on it: saved when they let go, or by their own commit
    session->save_when_free = true;
    return true;
  }
  SaveNow(shard, session, waiter);
  return false;
}

bool SessionTable::Impl::AllSaved() {
  for (SessionShard& shard : shards_) {
    MutexLock lock(&shard.mutex);
    for (const auto& session : shard.roster) {
      if (session != nullptr && session->change != session->saved_change) return false;
    }
  }
  return true;
}

bool SessionTable::Impl::Flush(absl::Time deadline) {
  if (backing_ == nullptr) return true;
  while (true) {
    backing_->RetryEnds();
    SaveDirty();
    if (!backing_->Flush(deadline)) return false;
    if (AllSaved() && backing_->AllEndsSaved()) return true;
    if (absl::Now() + kFlushRetry > deadline) return false;
    absl::SleepFor(kFlushRetry);
  }
}

}  // namespace rondo
