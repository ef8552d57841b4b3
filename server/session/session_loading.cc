// How sessions come back from the store, and leave memory for it.

#include <algorithm>
#include <memory>
#include <utility>

#include "server/metrics/metrics.h"
#include "server/session/session_table_impl.h"

namespace rondo {
namespace {

constexpr size_t kLooksPerEntry = 8;  // for cold sessions, to make room for a new one
constexpr size_t kLooksPerLock = 64;
constexpr size_t kSpareShare = 16;  // of max_resident: what is kept free, if there are cold sessions to let go of

// REQUIRES: the shard's lock. The wheel is the caller's affair.
void FillFrom(const SessionBacking::Found& found, StateSlot state, LiveSession* session) {
  session->model = found.model;
  session->state = std::move(state);
  session->idle_timeout_ns = found.record->idle_timeout_ns;
  GoOnFrom(*found.record, session);
  session->durable_position.store(session->position, std::memory_order_relaxed);
  session->epoch = found.epoch;
  session->noted_used_ns = found.record->last_used_ns;
  session->provisional = false;
}

}  // namespace

absl::StatusOr<std::optional<SessionLease>> SessionTable::Impl::StartLoad(const SessionKey& key,
                                                                          const ServedModelPtr* create_as,
                                                                          LeaseWaiter* waiter, absl::Time now) {
  if (absl::Status valid = ValidateSessionId(key.id); !valid.ok()) return valid;
  auto made = std::make_unique<LiveSession>();
  made->hash = key.hash;
  made->id = std::string(key.id);
  made->idle_timeout_ns = absl::ToInt64Nanoseconds(options_.idle_timeout);
  made->last_used_ns = absl::ToUnixNanos(now);
  made->leased = made->provisional = made->loading = made->recently_used = true;
  LiveSession* const session = made.get();
  SessionShard& shard = ShardOf(key.hash);
  MutexLock lock(&shard.mutex);
  if (LiveSession* found = shard.Find(key)) return Join(shard, found, create_as, waiter, now);
  if (absl::Status entered = Enter(shard, std::move(made), now); !entered.ok()) return entered;
  if (create_as != nullptr) waiter->create_as_ = *create_as;
  session->queue.Push(waiter);
  backing_->Load(key.id, [this, session](const SessionBacking::Found& found) { OnLoaded(session, found); });
  return std::optional<SessionLease>();
}

void SessionTable::Impl::OnLoaded(LiveSession* session, const SessionBacking::Found& found) {
  StateSlot state;
  if (found.record) state = states_.TakeUndefined(static_cast<size_t>(found.model->spec().state_size()));
  SessionShard& shard = ShardOf(session->hash);
  WaitQueue heard;
  std::unique_ptr<LiveSession> gone;
  {
    MutexLock lock(&shard.mutex);
    session->leased = session->loading = false;
    if (session->detached) {
      gone.reset(session);
    } else if (!found.status.ok()) {
      gone = Detach(shard, session, found.status, &heard);
    } else if (found.record) {
      FillFrom(found, std::move(state), session);
      shard.wheel.Remove(session);
      shard.WatchIdle(session, absl::FromUnixNanos(session->last_used_ns));
      session->model->metrics->sessions.Began(SessionEvent::kRestored);
      if (found.record->model.fingerprint != session->model->model->fingerprint) {
        session->model->metrics->sessions.events[SessionEvent::kAdopted].Add();
      }
      PassOn(shard, session, &heard);
    } else {
      session->epoch = found.epoch;
      gone = StartAnew(shard, session, found.missing, &heard);
    }
  }
  heard.TellAll();
}

absl::StatusOr<bool> SessionTable::Impl::Restore(absl::string_view id, LeaseWaiter* waiter, absl::Time now) {
  if (backing_ == nullptr) return true;
  const SessionKey key(id);
  {
    SessionShard& shard = ShardOf(key.hash);
    MutexLock lock(&shard.mutex);
    const LiveSession* const session = shard.Find(key);
    if (session != nullptr && !session->loading) return true;
  }
  absl::StatusOr<std::optional<SessionLease>> lease = StartLoad(key, nullptr, waiter, now);
  if (!lease.ok()) return lease.status();
  return lease->has_value();  // loaded meanwhile: the lease ends here
}

bool SessionTable::Impl::Discard(LiveSession* session) {
  if (backing_ == nullptr) return false;
  SessionShard& shard = ShardOf(session->hash);
  std::unique_ptr<LiveSession> gone;
  MutexLock lock(&shard.mutex);
  if (session->detached || session->provisional || session->change != session->saved_change) return false;
  if (!session->queue.empty()) return false;
  gone = Evict(shard, session);
  return true;
}

std::unique_ptr<LiveSession> SessionTable::Impl::Evict(SessionShard& shard, LiveSession* session) {
  session->model->metrics->sessions.Ended(SessionEvent::kEvicted);
  live_.fetch_sub(1, std::memory_order_relaxed);
  return shard.Remove(session);
}

// As a request makes room for one session or none, those that find only sessions in use or not saved add up. The spare
// room takes them, so that the store's thread is woken for thousands at once: woken by each it saved a hundred at a
// time, and loads waited behind its syncs.
size_t SessionTable::Impl::wanted_resident() const {
  return backing_->max_resident() - backing_->max_resident() / kSpareShare;
}

void SessionTable::Impl::MakeRoom(SessionShard& shard) {
  EvictSome(shard, kLooksPerEntry);
  // To save what is dirty, and to look longer: in vain while nothing can be saved.
  if (size() < backing_->max_resident() || store_is_away_.load(std::memory_order_relaxed)) return;
  WakeForTick();
}

void SessionTable::Impl::EvictSome(SessionShard& shard, size_t looks) {
  if (size() < wanted_resident()) return;
  for (; looks > 0 && !shard.roster.empty() && size() >= wanted_resident(); --looks) {
    shard.eviction_hand = (shard.eviction_hand + 1) % static_cast<uint32_t>(shard.roster.size());
    LiveSession* const session = shard.roster[shard.eviction_hand].get();
    if (session == nullptr || session->leased || session->dirty || session->change != session->saved_change) continue;
    if (std::exchange(session->recently_used, false)) continue;
    Evict(shard, session);
  }
}

void SessionTable::Impl::EvictCold() {
  // Some places of each shard in turn, so that the coldest of all go; each place twice, to clear its mark and to take.
  bool more = true;
  for (size_t looks = 0; more; looks += kLooksPerLock) {
    more = false;
    for (SessionShard& shard : shards_) {
      if (size() < wanted_resident()) return;
      MutexLock lock(&shard.mutex);
      if (looks >= 2 * shard.roster.size()) continue;
      EvictSome(shard, kLooksPerLock);
      more = true;
    }
  }
}

}  // namespace rondo
