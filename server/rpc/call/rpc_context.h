#ifndef RONDO_SERVER_RPC_CALL_RPC_CONTEXT_H_
#define RONDO_SERVER_RPC_CALL_RPC_CONTEXT_H_

#include <atomic>
#include <cstddef>

#include "server/access/gate.h"
#include "server/loop/serving_loop.h"
#include "server/rpc/call/awaited_messages.h"
#include "server/rpc/call/call.h"
#include "server/serve/clients.h"
#include "server/serve/end_watch.h"
#include "server/serve/serve_context.h"
#include "server/tracing/span_source.h"

namespace rondo {

// What a call on one loop has at hand: what its requests have, and the loop with its calls. Everything is borrowed and
// outlives every call.
struct RpcContext : ServeContext {
  ServingLoop* loop = nullptr;
  CallList* calls = nullptr;  // of this loop
  const Gate* gate = nullptr;
  StreamLimits stream_limits;
  Clients* clients = nullptr;          // of all loops
  EndWatch* end_watch = nullptr;       // of this loop
  AwaitedMessages* awaited = nullptr;  // of this loop
  size_t max_awaited_messages = 1;     // of one loop; see AwaitedMessages
  const Tracer* tracer = nullptr;      // null: nothing is traced
  size_t loop_number = 0;
  bool audit_log = false;
  const std::atomic<bool>* leaving = nullptr;  // true: health says NOT_SERVING, though requests may still be served
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_RPC_CONTEXT_H_
