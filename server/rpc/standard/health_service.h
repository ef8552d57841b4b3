#ifndef RONDO_SERVER_RPC_STANDARD_HEALTH_SERVICE_H_
#define RONDO_SERVER_RPC_STANDARD_HEALTH_SERVICE_H_

#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "server/rpc/call/rpc_context.h"

namespace rondo {

using ServiceNames = std::vector<std::string>;

// The standard health protocol: SERVING until the server drains. It knows "", which is the whole server, and the
// services in *names, which outlives every call.
void ServeHealth(const RpcContext* context, grpc::health::v1::Health::AsyncService* service, const ServiceNames* names);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_STANDARD_HEALTH_SERVICE_H_
