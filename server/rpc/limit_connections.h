#ifndef RONDO_SERVER_RPC_LIMIT_CONNECTIONS_H_
#define RONDO_SERVER_RPC_LIMIT_CONNECTIONS_H_

#include <grpcpp/server_builder.h>

#include "server/access/connection_limits.h"

namespace rondo {

// Has gRPC keep to the limits.
void LimitConnections(const ConnectionLimits& limits, grpc::ServerBuilder* builder);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_LIMIT_CONNECTIONS_H_
