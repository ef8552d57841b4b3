#include "server/session/session_shard.h"

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
  const int64_t expires_at_ns = session->expires_at_ns();
  if (expires_at_ns != LiveSession::kForever) wheel.Add(session, expires_at_ns, now);
}

std::unique_ptr<LiveSession> SessionShard::Remove(LiveSession* session) {
  wheel.Remove(session);
  by_id_.erase(session);
  free_places_.push_back(session->place);
  return std::move(roster[session->place]);
}

}  // namespace rondo
