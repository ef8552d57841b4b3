#include "server/session/session_sweep.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "server/refusal/refusal.h"
#include "server/session/session_errors.h"
#include "server/session/session_id.h"
#include "server/session/session_listing.h"

namespace rondo {
namespace {

constexpr size_t kExpiryLooksPerLock = 128;
constexpr uint32_t kDeletionLooksPerLock = 64;
// The most of one call, which runs on a serving loop: both take some milliseconds, as an end takes some microseconds
// and a look far less.
constexpr size_t kDeletionLooks = 16'384;
constexpr size_t kDeletionsACall = 1024;
constexpr size_t kAbandonedLooks = 16;                              // in each shard, for a session that may go
constexpr absl::Duration kAbandonedRest = absl::Milliseconds(100);  // after a look in vain

bool Matches(const LiveSession& session, const SessionFilter& filter) {
  if (session.loading || TenantIn(session.id) != filter.tenant) return false;
  if (!absl::StartsWith(IdIn(session.id), filter.prefix)) return false;
  return filter.model.empty() || session.model->model->name == filter.model;
}

}  // namespace

size_t SessionSweep::ExpireIdle(absl::Time now) {
  size_t expired = 0;
  int64_t soonest_ns = LiveSession::kForever;
  for (SessionShard& shard : table_->shards_) {
    while (ExpireSome(shard, now, &expired)) {
    }
    MutexLock lock(&shard.mutex);
    soonest_ns = std::min(soonest_ns, shard.SoonestExpiry());
  }
  table_->places_.NoteSoonestExpiry(soonest_ns);
  return expired;
}

bool SessionSweep::ExpireSome(SessionShard& shard, absl::Time now, size_t* expired) {
  std::vector<LiveSession*> over;
  Aftermath after;
  MutexLock lock(&shard.mutex);
  const bool more = shard.FindIdle(now, kExpiryLooksPerLock, &over);
  for (LiveSession* const session : over) {
    const bool lived_out = session->HasLivedOut(now);
    const SessionEnd end{lived_out ? SessionEnd::Cause::kLifetime : SessionEnd::Cause::kIdle, session->IdleFor(now)};
    table_->End(shard, session, end, false, &after);
  }
  *expired += over.size();
  return more;
}

absl::StatusOr<size_t> SessionSweep::DeleteMany(const SessionFilter& filter, std::string* page_token) {
  auto& shards = table_->shards_;
  absl::StatusOr<SessionPlace> at = PlaceOf(*page_token, shards.size(), table_->token_salt_);
  if (!at.ok()) return at.status();
  size_t deleted = 0;
  for (size_t looks = 0; at->shard < shards.size() && looks < kDeletionLooks && deleted < kDeletionsACall;
       looks += kDeletionLooksPerLock) {
    bool at_end = false;
    deleted += DeleteSome(shards[at->shard], filter, &at->place, &at_end);
    if (at_end) *at = SessionPlace{at->shard + 1, 0};
  }
  *page_token = at->shard < shards.size() ? TokenOf(*at, table_->token_salt_) : std::string();
  return deleted;
}

size_t SessionSweep::DeleteSome(SessionShard& shard, const SessionFilter& filter, uint32_t* place, bool* at_end) {
  size_t deleted = 0;
  Aftermath after;
  MutexLock lock(&shard.mutex);
  const auto size = static_cast<uint32_t>(shard.roster.size());
  const uint32_t stop = std::min(size, *place + kDeletionLooksPerLock);
  for (; *place < stop; ++*place) {
    LiveSession* const session = shard.roster[*place].get();
    if (session == nullptr || !Matches(*session, filter)) continue;
    table_->End(shard, session, {SessionEnd::Cause::kDeleted, absl::ZeroDuration()}, false, &after);
    ++deleted;
  }
  *at_end = *place >= size;
  return deleted;
}

bool SessionSweep::EndAbandoned(const absl::Status& refusal, absl::string_view id, absl::Time now) {
  if (refusal.ok() || table_->options_.abandoned_after == absl::InfiniteDuration() || table_->has_store()) return false;
  const Why why = RefusalOf(refusal).why;
  if (why != Why::kSessionsFull && why != Why::kTenantQuota) return false;
  const absl::string_view tenant = TenantIn(id);
  const bool of_tenant = why == Why::kTenantQuota;
  auto& rests = table_->abandoned_looks_rest_until_ns_;
  std::atomic<int64_t>& rests_until_ns =
      rests[of_tenant ? 1 + absl::Hash<absl::string_view>()(tenant) % SessionTable::kShards : 0];
  if (absl::ToUnixNanos(now) < rests_until_ns.load(std::memory_order_relaxed)) return false;
  for (SessionShard& shard : table_->shards_) {
    if (EndOneOf(shard, of_tenant ? &tenant : nullptr, now)) return true;
  }
  rests_until_ns.store(absl::ToUnixNanos(now + kAbandonedRest), std::memory_order_relaxed);
  return false;
}

bool SessionSweep::EndOneOf(SessionShard& shard, const absl::string_view* tenant, absl::Time now) {
  Aftermath after;
  MutexLock lock(&shard.mutex);
  const size_t looks = std::min(kAbandonedLooks, shard.roster.size());
  for (size_t i = 0; i < looks; ++i) {
    shard.eviction_hand = (shard.eviction_hand + 1) % static_cast<uint32_t>(shard.roster.size());
    LiveSession* const session = shard.roster[shard.eviction_hand].get();
    if (session == nullptr || session->leased || session->IdleFor(now) < table_->options_.abandoned_after) continue;
    if (tenant != nullptr && TenantIn(session->id) != *tenant) continue;
    table_->End(shard, session, {SessionEnd::Cause::kAbandoned, session->IdleFor(now)}, false, &after);
    return true;
  }
  return false;
}

}  // namespace rondo
