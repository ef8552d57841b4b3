#include "server/listen/connection_places.h"

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"

namespace rondo {

absl::Status ConnectionPlaces::Admit(int descriptor, uint64_t inode, absl::Time now, IsOpen is_open) {
  // The kernel has given the number again, so the connection that had it is closed.
  if (inodes_.erase(descriptor) > 0 && on_closed_ != nullptr) on_closed_(descriptor);
  if (inodes_.size() >= max_connections_ &&
      now - last_recount_ >= absl::Microseconds(static_cast<int64_t>(inodes_.size()))) {
    Recount(now, is_open);
  }
  if (inodes_.size() >= max_connections_) {
    return Refuse(Why::kConnectionsFull, absl::StrCat("the server has max_connections=", max_connections_, " open"));
  }
  inodes_.emplace(descriptor, inode);
  return absl::OkStatus();
}

void ConnectionPlaces::Recount(absl::Time now, IsOpen is_open) {
  last_recount_ = now;
  absl::erase_if(inodes_, [this, is_open](const auto& place) {
    const bool closed = !is_open(place.first, place.second);
    if (closed && on_closed_ != nullptr) on_closed_(place.first);
    return closed;
  });
}

}  // namespace rondo
