#ifndef RONDO_SERVER_SESSION_SESSION_LISTING_H_
#define RONDO_SERVER_SESSION_SESSION_LISTING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/session/session_info.h"
#include "server/session/session_shard.h"

namespace rondo {

// The place in a table at which a page begins.
struct SessionPlace {
  uint32_t shard = 0;
  uint32_t place = 0;
};

// The page token of a place, and the place of a token; empty: the first one. `salt` tells a table's tokens from others.
// INVALID_ARGUMENT: the token is none of this table's.
std::string TokenOf(SessionPlace place, uint64_t salt);
absl::StatusOr<SessionPlace> PlaceOf(absl::string_view token, size_t shards, uint64_t salt);

// Shows the sessions of a table in pages, as SessionTable::List. A session keeps its place in its shard for life, so a
// page token that names a place is good whatever came and went meanwhile.
absl::StatusOr<std::vector<SessionInfo>> ListSessions(absl::Span<SessionShard> shards, uint64_t token_salt,
                                                      absl::string_view tenant, absl::string_view model,
                                                      size_t page_size, absl::Time now, std::string* page_token);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_LISTING_H_
