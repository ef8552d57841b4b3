#ifndef RONDO_SERVER_RPC_STANDARD_HEALTH_SERVICE_H_
#define RONDO_SERVER_RPC_STANDARD_HEALTH_SERVICE_H_

#include "grpc/health/v1/health.grpc.pb.h"
#include "server/rpc/call/rpc_context.h"

namespace rondo {

// The standard health protocol: SERVING until the server drains. Known services: "" and those of rondo.v1.
void ServeHealth(const RpcContext* context, grpc::health::v1::Health::AsyncService* service);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_STANDARD_HEALTH_SERVICE_H_
