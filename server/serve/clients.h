#ifndef RONDO_SERVER_SERVE_CLIENTS_H_
#define RONDO_SERVER_SERVE_CLIENTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "server/loop/flow.h"
#include "server/serve/work_budget.h"

namespace rondo {

// One client of the server: all that come under one name: that of their tenant, or the host of their address.
struct Client {
  Client(WorkBudget* server, size_t loops) : budget(server), flows(loops) {}

  WorkBudget budget;               // of its requests on all loops
  std::vector<ClientFlows> flows;  // by loop; each the loop's own
};

// The clients that have calls, and some of those that had.
//
// Threads: every method may be called from any thread.
class Clients {
 public:
  // `server`: what all clients share; outlives them.
  Clients(WorkBudget* server, size_t loops) : server_(server), loops_(loops) {}

  // The client of that name, made if there is none. Whoever has it keeps it.
  std::shared_ptr<Client> Find(absl::string_view name);

 private:
  WorkBudget* const server_;
  const size_t loops_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<Client>> clients_ ABSL_GUARDED_BY(mutex_);
  size_t swept_at_ ABSL_GUARDED_BY(mutex_) = 1024;  // clients; then those without a call are forgotten
};

// The host in a peer as gRPC names it: "127.0.0.1" of "ipv4:127.0.0.1:5000"; all of it if it has no port.
absl::string_view HostOfPeer(absl::string_view peer);

// The number of the peer's connection for RequestOrder; 0: unknown, as Unix sockets all have one name.
uint32_t ConnectionOfPeer(absl::string_view peer);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_CLIENTS_H_
