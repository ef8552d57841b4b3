#include "server/session/session_eviction.h"

#include <cstdint>
#include <utility>

#include "server/metrics/metrics.h"

namespace rondo {
namespace {

constexpr size_t kLooksPerEntry = 8;  // for cold sessions, to make room for a new one
constexpr size_t kLooksPerLock = 64;
constexpr size_t kSpareShare = 16;  // of max_resident: what is kept free, if there are cold sessions to let go of

}  // namespace

SessionEviction::SessionEviction(ResidentSessions* resident, size_t max_resident)
    : resident_(resident), max_resident_(max_resident), wanted_resident_(max_resident - max_resident / kSpareShare) {}

bool SessionEviction::MakeRoom(SessionShard& shard, LeftSessions* left) {
  EvictSome(shard, kLooksPerEntry, left);
  return resident_->size() < max_resident_;
}

void SessionEviction::EvictSome(SessionShard& shard, size_t looks, LeftSessions* left) {
  for (; looks > 0 && !shard.roster.empty() && resident_->size() >= wanted_resident_; --looks) {
    shard.eviction_hand = (shard.eviction_hand + 1) % static_cast<uint32_t>(shard.roster.size());
    LiveSession* const session = shard.roster[shard.eviction_hand].get();
    if (session == nullptr || session->leased || session->stored.dirty || !session->stored.is_current()) continue;
    if (std::exchange(session->recently_used, false)) continue;
    Evict(shard, session, left);
  }
}

void SessionEviction::Evict(SessionShard& shard, LiveSession* session, LeftSessions* left) {
  session->model->metrics->sessions.Ended(SessionEvent::kEvicted);
  left->push_back(resident_->Remove(shard, session));
}

void SessionEviction::EvictCold() {
  // Some places of each shard in turn, so that the coldest of all go; each place twice, to clear its mark and to take.
  bool more = true;
  for (size_t looks = 0; more; looks += kLooksPerLock) {
    more = false;
    for (SessionShard& shard : resident_->shards()) {
      if (resident_->size() < wanted_resident_) return;
      LeftSessions left;
      MutexLock lock(&shard.mutex);
      if (looks >= 2 * shard.roster.size()) continue;
      EvictSome(shard, kLooksPerLock, &left);
      more = true;
    }
  }
}

}  // namespace rondo
