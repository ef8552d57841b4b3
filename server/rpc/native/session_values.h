#ifndef RONDO_SERVER_RPC_NATIVE_SESSION_VALUES_H_
#define RONDO_SERVER_RPC_NATIVE_SESSION_VALUES_H_

#include "rondo/v1/sessions.grpc.pb.h"
#include "server/rpc/call/rpc_context.h"

namespace rondo {

// Export, import and fork sessions.
void ServeSessionValues(const RpcContext* context, v1::Sessions::AsyncService* service);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_SESSION_VALUES_H_
