#ifndef RONDO_SERVER_RPC_NATIVE_SESSIONS_SERVICE_H_
#define RONDO_SERVER_RPC_NATIVE_SESSIONS_SERVICE_H_

#include "rondo/v1/sessions.grpc.pb.h"
#include "server/rpc/call/rpc_context.h"

namespace rondo {

// Every method of rondo.v1.Sessions. What export, import and fork do is in session_transfer.h.
void ServeSessions(const RpcContext* context, v1::Sessions::AsyncService* service);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_SESSIONS_SERVICE_H_
