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

SessionEviction::SessionEviction(SessionTable* table, size_t max_resident)
    : table_(table), max_resident_(max_resident), wanted_resident_(max_resident - max_resident / kSpareShare) {}

bool SessionEviction::MakeRoom(SessionShard& shard, Aftermath* after) {
  EvictSome(shard, kLooksPerEntry, after);
  return table_->size() < max_resident_;
}

void SessionEviction::EvictSome(SessionShard& shard, size_t looks, Aftermath* after) {
  for (; looks > 0 && !shard.roster.empty() && table_->size() >= wanted_resident_; --looks) {
    shard.eviction_hand = (shard.eviction_hand + 1) % static_cast<uint32_t>(shard.roster.size());
    LiveSession* const session = shard.roster[shard.eviction_hand].get();
    if (session == nullptr || session->leased || session->stored.dirty || !session->stored.is_current()) continue;
    if (session->stored.went_back) continue;  // the store does not know that this is still to be told
    if (std::exchange(session->recently_used, false)) continue;
    Evict(shard, session, after);
  }
}

void SessionEviction::Evict(SessionShard& shard, LiveSession* session, Aftermath* after) {
  session->model->metrics->sessions.Ended(SessionEvent::kEvicted);
  after->left.push_back(table_->Remove(shard, session));
}

void SessionEviction::EvictCold() {
  // Some places of each shard in turn, so that the coldest of all go; each place twice, to clear its mark and to take.
  bool more = true;
  for (size_t looks = 0; more; looks += kLooksPerLock) {
    more = false;
    for (SessionShard& shard : table_->shards_) {
      if (table_->size() < wanted_resident_) return;
      Aftermath after;
      MutexLock lock(&shard.mutex);
      if (looks >= 2 * shard.roster.size()) continue;
      EvictSome(shard, kLooksPerLock, &after);
      more = true;
    }
  }
}

}  // namespace rondo
