#include "server/rpc/limit_connections.h"

#include <grpc/grpc.h>
#include <grpcpp/resource_quota.h>

namespace rondo {

void LimitConnections(const ConnectionLimits& limits, grpc::ServerBuilder* builder) {
  const auto set = [builder](const char* name, absl::Duration time) {
    if (time > absl::ZeroDuration()) {
      builder->AddChannelArgument(name, static_cast<int>(absl::ToInt64Milliseconds(time)));
    }
  };
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(limits.max_calls));
  set(GRPC_ARG_MAX_CONNECTION_AGE_MS, limits.max_age);
  set(GRPC_ARG_MAX_CONNECTION_IDLE_MS, limits.max_idle);
  builder->SetResourceQuota(grpc::ResourceQuota("rondo").Resize(limits.max_buffer_bytes));
}

}  // namespace rondo
