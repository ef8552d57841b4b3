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

// Shows the sessions of a table in pages. A session keeps its place in its shard for life, so a page token that names a
// place is good whatever came and went meanwhile.
//
// Threads: every method may be called from any thread.
class SessionListing {
 public:
  // `shards` outlives the listing.
  explicit SessionListing(absl::Span<SessionShard> shards);

  // As SessionTable::List.
  absl::StatusOr<std::vector<SessionInfo>> List(absl::string_view model, size_t page_size, absl::Time now,
                                                std::string* page_token) const;

 private:
  // Where the next page begins.
  struct Place {
    uint32_t shard = 0;
    uint32_t place = 0;
  };

  std::string TokenOf(Place place) const;
  absl::StatusOr<Place> PlaceOf(absl::string_view token) const;

  const absl::Span<SessionShard> shards_;
  const uint64_t token_salt_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_LISTING_H_
