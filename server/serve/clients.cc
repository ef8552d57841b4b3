#include "server/serve/clients.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "base/unix_scheme.h"

namespace rondo {

std::shared_ptr<Client> Clients::Find(absl::string_view name) {
  const MutexLock lock(&mutex_);
  const auto found = clients_.find(name);
  if (found != clients_.end()) return found->second;
  if (clients_.size() >= swept_at_) {
    absl::erase_if(clients_, [](const auto& entry) { return entry.second.use_count() == 1; });
    swept_at_ = std::max<size_t>(1024, 2 * clients_.size());
  }
  return clients_.emplace(name, std::make_shared<Client>(server_, loops_)).first->second;
}

absl::string_view HostOfPeer(absl::string_view peer) {
  const size_t scheme = peer.find(':');
  const size_t port = peer.rfind(':');
  if (scheme == absl::string_view::npos || scheme == port) return peer;
  return peer.substr(scheme + 1, port - scheme - 1);
}

uint32_t ConnectionOfPeer(absl::string_view peer) {
  if (IsUnix(peer)) return 0;
  return static_cast<uint32_t>(absl::Hash<absl::string_view>()(peer)) | 1;
}

}  // namespace rondo
