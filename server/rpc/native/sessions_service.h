#ifndef RONDO_SERVER_RPC_NATIVE_SESSIONS_SERVICE_H_
#define RONDO_SERVER_RPC_NATIVE_SESSIONS_SERVICE_H_

#include "rondo/v1/sessions.grpc.pb.h"
#include "server/rpc/call/rpc_context.h"
#include "server/session/session_table.h"

namespace rondo {

// Create, get, list and delete sessions.
void ServeSessions(const RpcContext* context, v1::Sessions::AsyncService* service);

void ToProto(const SessionInfo& info, v1::Session* proto);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_SESSIONS_SERVICE_H_
