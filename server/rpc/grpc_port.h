#ifndef RONDO_SERVER_RPC_GRPC_PORT_H_
#define RONDO_SERVER_RPC_GRPC_PORT_H_

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "server/serve/request_limits.h"

namespace rondo {

// Bounds what clients may make gRPC itself do: sizes of messages, compression, connections that say nothing.
// `keepalive_time`: zero: a silent client is never asked whether it is still there.
void SetLimits(const ServeLimits& limits, absl::Duration keepalive_time, grpc::ServerBuilder* builder);

// Makes gRPC serve connections that it has not accepted itself. Returns what hands one to it; to be called once the
// server has started.
std::function<void(int listening_socket, int connection)> TakeConnections(
    std::shared_ptr<grpc::ServerCredentials> credentials, grpc::ServerBuilder* builder);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_GRPC_PORT_H_
