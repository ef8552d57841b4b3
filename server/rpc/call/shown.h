#ifndef RONDO_SERVER_RPC_CALL_SHOWN_H_
#define RONDO_SERVER_RPC_CALL_SHOWN_H_

#include <grpcpp/server_context.h>

#include "server/access/gate.h"

namespace rondo {

// What the call shows of its caller; nothing if the gate does not ask. It points into `context`.
Shown ShownBy(const grpc::ServerContext& context, const Gate& gate);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_SHOWN_H_
