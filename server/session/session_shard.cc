#include "server/session/session_shard.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"

namespace rondo {

SessionKey::SessionKey(absl::string_view key_id) : id(key_id), hash(absl::Hash<absl::string_view>()(key_id)) {}

LiveSession* SessionShard::Find(const SessionKey& key) const {
  const auto found = by_id_.find(key);
  return found == by_id_.end() ? nullptr : *found;
}

void SessionShard::Insert(std::unique_ptr<LiveSession> session, absl::Time now) {
  LiveSession* const inserted = session.get();
  if (free_places_.empty()) {
    inserted->place = static_cast<uint32_t>(roster.size());
    roster.push_back(std::move(session));
  } else {
    inserted->place = free_places_.back();
    free_places_.pop_back();
    roster[inserted->place] = std::move(session);
  }
  by_id_.insert(inserted);
  WatchIdle(inserted, now);
}

void SessionShard::WatchIdle(LiveSession* session, absl::Time now) {
  wheel_.Remove(session);
  const int64_t expires_at_ns = session->expires_at_ns();
  if (expires_at_ns == LiveSession::kForever) return;
  // One that is loaded, or on its way to another server, may have lived out already: it is looked at again later.
  const int64_t soonest_ns = session->loading ? absl::ToUnixNanos(now + absl::Seconds(1)) : 0;
  wheel_.Add(session, std::max(expires_at_ns, soonest_ns), now);
}

bool SessionShard::FindIdle(absl::Time now, size_t max_looks, std::vector<LiveSession*>* idle) {
  std::vector<ExpiryWheel::Entry*> due;
  const bool more = wheel_.Sweep(now, max_looks, &due);
  for (ExpiryWheel::Entry* const entry : due) {
    auto* const session = static_cast<LiveSession*>(entry);
    if (session->leased) session->Touch(now);
    const bool lived_out = session->HasLivedOut(now) && !session->loading;
    if (!lived_out && (session->leased || session->expires_at_ns() > absl::ToUnixNanos(now))) {
      WatchIdle(session, now);
    } else {
      idle->push_back(session);
    }
  }
  return more;
}

std::unique_ptr<LiveSession> SessionShard::Remove(LiveSession* session) {
  wheel_.Remove(session);
  by_id_.erase(session);
  free_places_.push_back(session->place);
  return std::move(roster[session->place]);
}

}  // namespace rondo
