#ifndef RONDO_SERVER_RPC_FRONT_H_
#define RONDO_SERVER_RPC_FRONT_H_

#include <grpcpp/server.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/access/gate.h"
#include "server/access/tls_files.h"
#include "server/drain.h"
#include "server/listen/listener.h"
#include "server/loop/compute_helpers.h"
#include "server/metrics/metrics.h"
#include "server/options.h"
#include "server/rpc/call/rpc_context.h"
#include "server/rpc/call/rpc_loop.h"
#include "server/rpc/services.h"

namespace rondo {

// The front of the server: connections are accepted and handed to gRPC, and calls are awaited on the serving loops.
//
// Ownership: owns the listener, gRPC's server and the loops; borrows all else, which outlives it.
// Threads:   TellHealth from any thread while it runs; all else from one at a time.
class RpcFront {
 public:
  // What it stands before.
  struct House {
    Gate* gate = nullptr;
    TlsFiles* tls = nullptr;  // null: no TLS
    ComputeHelpers* helpers = nullptr;
    size_t loops = 1;             // how many serving loops
    size_t most_connections = 1;  // at once, as far as descriptors reach
  };

  RpcFront(const ServerOptions* options, Metrics* metrics, const Drain* drain);
  ~RpcFront();

  // FAILED_PRECONDITION: a method has no rule that says who may call it.
  absl::Status CheckRules() const { return services_.CheckRules(); }
  // Listens, and serves. `context_of`: what the calls of a loop have at hand, but for the loop. UNAVAILABLE: it cannot
  // listen there; nothing runs then.
  absl::Status Start(const House& house, absl::FunctionRef<RpcContext(size_t loop_number)> context_of);
  bool running() const { return server_ != nullptr; }

  // Has the calls that watch health look at it.
  void TellHealth();
  // The work that comes by itself, about once a second.
  void Tick();
  // See Listener::IsWell. REQUIRES: running().
  bool IsListening() { return listener_->IsWell(); }
  // "host:port" with the real port number, or unix:PATH.
  const std::string& address() const { return address_; }

  // Refuses new calls, and returns when what was read is answered, or at the drain's deadline. `timeout`: how long the
  // drain may take. REQUIRES: running(), and the drain has begun.
  void FinishCalls(absl::Duration timeout);
  // Tells each stream where its sessions stand, cuts the calls that have not ended at the drain's deadline, and takes
  // no more connections. Nothing runs afterwards. REQUIRES: as FinishCalls.
  void Leave();

 private:
  absl::Status OpenListener(const House& house);
  // Until `is_so` of each loop, or the drain's deadline.
  void WaitUntil(absl::FunctionRef<bool(const RpcLoop&)> is_so) const;

  const ServerOptions* const options_;
  Metrics* const metrics_;
  const Drain* const drain_;
  Services services_;
  std::vector<std::unique_ptr<RpcLoop>> loops_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Listener> listener_;
  std::string address_;
};

// Returns the address that is listened on: `asked` with the port that it is; 0: there is none, as of a Unix socket.
std::string AddressWithPort(absl::string_view asked, int port);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_FRONT_H_
