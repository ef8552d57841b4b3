#include "server/session/session_saver.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "server/metrics/metrics.h"
#include "server/session/session_errors.h"
#include "server/session/session_value.h"

namespace rondo {
namespace {

constexpr size_t kSavesPerLock = 16;    // some ten microseconds under a shard's lock
constexpr size_t kSavesWhileAway = 64;  // of a tick, to find out whether a store that failed is back
constexpr int64_t kNotedUsesPerTimeout = 8;

}  // namespace

SessionSaver::SessionSaver(SessionTable* table, SessionBacking* backing, SessionsProbe* probe)
    : table_(table), backing_(backing), probe_(probe) {}

void SessionSaver::NoteChange(SessionShard& shard, LiveSession* session) {
  session->stored.noted_used_ns = session->last_used_ns;
  session->stored.change = ++shard.changes;
  if (session->stored.save_when_free) return SaveNow(shard, session, nullptr);
  MarkDirty(shard, session);
}

void SessionSaver::NoteSavedChange(SessionShard& shard, LiveSession* session) {
  StoredCopy& stored = session->stored;
  stored.noted_used_ns = session->last_used_ns;
  stored.saved_change = stored.change = ++shard.changes;
  stored.dirty = stored.save_when_free = false;
  stored.durable_position.store(session->position, std::memory_order_relaxed);
}

void SessionSaver::NoteUse(SessionShard& shard, LiveSession* session) {
  const int64_t unnoted_ns = session->last_used_ns - session->stored.noted_used_ns;
  const bool ends = session->idle_timeout_ns != LiveSession::kForever;
  if (ends && unnoted_ns > session->idle_timeout_ns / kNotedUsesPerTimeout) NoteChange(shard, session);
  if (session->stored.save_when_free) SaveNow(shard, session, nullptr);
}

void SessionSaver::NoteDoubt(SessionShard& shard, LiveSession* session) {
  session->stored.change = ++shard.changes;
  MarkDirty(shard, session);
}

void SessionSaver::MarkDirty(SessionShard& shard, LiveSession* session) {
  if (std::exchange(session->stored.dirty, true)) return;
  shard.dirty.push_back(session->place);
}

void SessionSaver::SaveNow(SessionShard&, LiveSession* session, CommitWaiter* waiter) {
  session->stored.dirty = session->stored.save_when_free = false;
  auto saved = [this, id = session->id, change = session->stored.change, position = session->position,
                waiter](const absl::Status& status) {
    OnSaved(id, change, position, status);
    if (waiter != nullptr) waiter->OnCommitted(StoreRefusal(status));
  };
  backing_->Save(ViewOf(*session), session->stored.epoch, std::move(saved));
}

void SessionSaver::OnSaved(const std::string& id, uint64_t change, int64_t position, const absl::Status& status) {
  NoteAnswer(status);
  const SessionKey key(id);
  SessionShard& shard = table_->ShardOf(key.hash);
  Aftermath after;
  MutexLock lock(&shard.mutex);
  LiveSession* const session = shard.Find(key);
  if (session == nullptr || change <= session->stored.saved_change) return;
  if (status.ok()) {
    session->stored.saved_change = change;
    session->stored.durable_position.store(position, std::memory_order_relaxed);
  } else if (absl::IsAborted(status)) {
    GiveUp(shard, session, &after);
  } else if (!session->stored.save_when_free) {
    MarkDirty(shard, session);
  }
}

void SessionSaver::GiveUp(SessionShard& shard, LiveSession* session, Aftermath* after) {
  session->model->metrics->sessions.events[SessionEvent::kMoved].Add();
  if (!session->provisional) session->model->metrics->sessions.live.Add(-1);
  table_->Detach(shard, session, LiveSession::Standing::kMoved, MovedError(session->id), after);
}

void SessionSaver::NoteAnswer(const absl::Status& saved) {
  const bool away = StoreIsAway(saved);
  if (store_is_away() == away) return;
  store_is_away_.store(away, std::memory_order_relaxed);
  if (!away) WakeForTick();  // for all that could not be saved meanwhile
}

void SessionSaver::WakeForTick() {
  if (!woken_.exchange(true, std::memory_order_relaxed)) backing_->Wake();
}

void SessionSaver::SaveChanges() {
  size_t left = store_is_away() ? kSavesWhileAway : std::numeric_limits<size_t>::max();
  size_t unsaved = 0;
  for (SessionShard& shard : table_->shards_) {
    const size_t changed = SaveShard(shard, left);
    left -= std::min(left, changed);
    unsaved += changed;
  }
  probe_->unsaved.Set(static_cast<int64_t>(unsaved));
}

size_t SessionSaver::SaveShard(SessionShard& shard, size_t most) {
  std::vector<uint32_t> places;
  {
    MutexLock lock(&shard.mutex);
    places.swap(shard.dirty);
    shard.dirty.swap(shard.spare_dirty);
  }
  const size_t changed = places.size();
  const size_t taken = std::min(most, changed);
  for (size_t from = 0; from < taken; from += kSavesPerLock) {
    SaveSome(shard, absl::MakeConstSpan(places).subspan(from, std::min(kSavesPerLock, taken - from)));
  }
  MutexLock lock(&shard.mutex);
  shard.dirty.insert(shard.dirty.end(), places.begin() + static_cast<std::ptrdiff_t>(taken), places.end());
  places.clear();
  if (places.capacity() > shard.spare_dirty.capacity()) shard.spare_dirty.swap(places);
  return changed;
}

void SessionSaver::SaveSome(SessionShard& shard, absl::Span<const uint32_t> places) {
  MutexLock lock(&shard.mutex);
  for (const uint32_t place : places) {
    LiveSession* const session = shard.roster[place].get();
    if (session == nullptr || !session->stored.dirty) continue;  // the session that was here is gone, or was saved
    if (session->leased) {
      session->stored.save_when_free = true;
    } else {
      SaveNow(shard, session, nullptr);
    }
  }
}

size_t SessionSaver::CountUnsaved() {
  size_t count = 0;
  for (SessionShard& shard : table_->shards_) {
    MutexLock lock(&shard.mutex);
    for (const auto& session : shard.roster) count += session != nullptr && !session->stored.is_current() ? 1 : 0;
  }
  return count;
}

}  // namespace rondo
