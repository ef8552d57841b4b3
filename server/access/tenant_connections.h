#ifndef RONDO_SERVER_ACCESS_TENANT_CONNECTIONS_H_
#define RONDO_SERVER_ACCESS_TENANT_CONNECTIONS_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "server/access/tenants.h"

namespace rondo {

// Knows which tenants have made calls on which open connections, so that no tenant has more of them than it may. A
// connection counts for each tenant that has called on it, from its first call until the connection is closed.
//
// Ownership: borrows the tenants, which outlive it.
// Threads:   every method may be called from any thread.
class TenantConnections {
 public:
  // Takes note that a connection has come, before its first call. `peer`: as gRPC names it, "ipv4:127.0.0.1:5000".
  void Opened(int descriptor, absl::string_view peer);
  // Takes note that a connection is closed. One that is not known changes nothing.
  void Closed(int descriptor);

  // `tenant` calls on the connection of this peer. RESOURCE_EXHAUSTED: the connection would be one too many for it.
  // A connection through a Unix socket has no name of its own, and one that has closed meanwhile is no more: both count
  // for nobody.
  absl::Status Claim(absl::string_view peer, Tenant* tenant);

 private:
  struct Connection {
    std::string peer;
    std::vector<Tenant*> tenants;
  };

  Mutex mutex_;
  absl::flat_hash_map<int, Connection> connections_ ABSL_GUARDED_BY(mutex_);     // by descriptor
  absl::flat_hash_map<std::string, int> descriptor_of_ ABSL_GUARDED_BY(mutex_);  // by peer
};

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_TENANT_CONNECTIONS_H_
