#ifndef RONDO_SERVER_RPC_NATIVE_MODELS_SERVICE_H_
#define RONDO_SERVER_RPC_NATIVE_MODELS_SERVICE_H_

#include "rondo/v1/models.grpc.pb.h"
#include "server/rpc/call/rpc_context.h"

namespace rondo {

// List and get models.
void ServeModels(const RpcContext* context, v1::Models::AsyncService* service);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_MODELS_SERVICE_H_
