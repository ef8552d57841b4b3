#include "server/session/session_listing.h"

#include "absl/hash/hash.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/session/session_id.h"

namespace rondo {
namespace {

// Adds sessions of `shard` to `page` from *place on, and moves *place. False: the page is full or the shard at its end.
bool ListSome(SessionShard& shard, absl::string_view tenant, absl::string_view model, size_t page_size, absl::Time now,
              uint32_t* place, std::vector<SessionInfo>* page) {
  constexpr size_t kMaxLooks = 256;  // some microseconds under the lock
  MutexLock lock(&shard.mutex);
  for (size_t looks = 0; looks < kMaxLooks; ++looks, ++*place) {
    if (*place >= shard.roster.size() || page->size() == page_size) return false;
    const LiveSession* const session = shard.roster[*place].get();
    if (session == nullptr || session->provisional || TenantIn(session->id) != tenant) continue;
    if (model.empty() || session->model->model->name == model) page->push_back(InfoOf(*session, now));
  }
  return true;
}

}  // namespace

// A token is the place and a keyed hash of the place, each as 16 hex digits. The hash turns away what this table did
// not make. A token that passes by luck does no harm: it names a place to go on from, and any place will do.
std::string TokenOf(SessionPlace place, uint64_t salt) {
  const uint64_t position = uint64_t{place.shard} << 32 | place.place;
  const uint64_t check = absl::HashOf(salt, position);
  return absl::StrFormat("%016x%016x", position, check);
}

absl::StatusOr<SessionPlace> PlaceOf(absl::string_view token, size_t shards, uint64_t salt) {
  if (token.empty()) return SessionPlace();
  uint64_t position = 0;
  if (token.size() == 32 && absl::SimpleHexAtoi(token.substr(0, 16), &position)) {
    const SessionPlace place{static_cast<uint32_t>(position >> 32), static_cast<uint32_t>(position)};
    if (place.shard < shards && TokenOf(place, salt) == token) return place;
  }
  return absl::InvalidArgumentError("the page token is not one of this server's; wanted the last answer's, or none");
}

SessionInfo InfoOf(const LiveSession& session, absl::Time now) {
  SessionInfo info;
  info.id = std::string(IdIn(session.id));
  info.model = session.model->model->name;
  info.version = session.model->model->version;
  info.position = session.position;
  info.serial = session.serial;
  info.idle_timeout = session.idle_timeout_ns == LiveSession::kForever ? absl::InfiniteDuration()
                                                                       : absl::Nanoseconds(session.idle_timeout_ns);
  info.idle = session.IdleFor(now);
  info.ends_in = session.ends_at_ns == LiveSession::kForever ? absl::InfiniteDuration()
                                                             : absl::FromUnixNanos(session.ends_at_ns) - now;
  return info;
}

absl::StatusOr<std::vector<SessionInfo>> ListSessions(absl::Span<SessionShard> shards, uint64_t token_salt,
                                                      absl::string_view tenant, absl::string_view model,
                                                      size_t page_size, absl::Time now, std::string* page_token) {
  if (page_size == 0) return absl::InvalidArgumentError("the page size is 0; wanted 1 or more");
  absl::StatusOr<SessionPlace> at = PlaceOf(*page_token, shards.size(), token_salt);
  if (!at.ok()) return at.status();
  std::vector<SessionInfo> page;
  while (at->shard < shards.size() && page.size() < page_size) {
    if (ListSome(shards[at->shard], tenant, model, page_size, now, &at->place, &page)) continue;
    if (page.size() < page_size) *at = SessionPlace{at->shard + 1, 0};
  }
  *page_token = at->shard < shards.size() ? TokenOf(*at, token_salt) : std::string();
  return page;
}

}  // namespace rondo
