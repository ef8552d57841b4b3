#ifndef RONDO_SERVER_RPC_STANDARD_HEALTH_SERVICE_H_
#define RONDO_SERVER_RPC_STANDARD_HEALTH_SERVICE_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/rpc/call/headers_first.h"
#include "server/rpc/call/rpc_context.h"

namespace rondo {

// A service that health tells of.
struct HealthyService {
  absl::string_view name;
  bool needs_models;  // serves nothing until the registry is ready
};
using HealthyServices = std::vector<HealthyService>;

// The standard health protocol. It knows
//   "":                   the whole server: SERVING once the registry is ready, until the server drains.
//   a name in *services:  likewise, but SERVING from the start if the service needs no models.
//   model/NAME[/VERSION]: SERVING if it is live, NOT_SERVING if it is being loaded or no file of it could be.
// *services outlives every call.
void ServeHealth(const RpcContext* context, HeadersFirst<grpc::health::v1::Health>* service,
                 const HealthyServices* services);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_STANDARD_HEALTH_SERVICE_H_
