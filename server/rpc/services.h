#ifndef RONDO_SERVER_RPC_SERVICES_H_
#define RONDO_SERVER_RPC_SERVICES_H_

#include <grpcpp/server_builder.h>

#include <memory>

#include "server/rpc/call/rpc_context.h"

namespace rondo {

// Every gRPC service of the server.
//
// Ownership: outlives the grpc::Server it is registered with; borrows the contexts it serves.
class Services {
 public:
  Services();
  ~Services();

  // FAILED_PRECONDITION: a method has no rule that says who may call it.
  absl::Status CheckRules() const;
  // To be called before the server is built.
  void RegisterWith(grpc::ServerBuilder* builder);
  // Awaits the hot calls on the context's loop. To be called for every loop once the server is built, before the loop
  // starts.
  void ServeHotCalls(const RpcContext* context);
  // Awaits the rare calls. To be called likewise, for one loop.
  void ServeRareCalls(const RpcContext* context);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_SERVICES_H_
