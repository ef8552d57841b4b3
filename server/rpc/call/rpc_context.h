#ifndef RONDO_SERVER_RPC_CALL_RPC_CONTEXT_H_
#define RONDO_SERVER_RPC_CALL_RPC_CONTEXT_H_

#include <atomic>
#include <cstddef>

#include "server/loop/serving_loop.h"
#include "server/metrics/metrics.h"
#include "server/registry/adopt_sessions.h"
#include "server/registry/model_registry.h"
#include "server/rpc/call/call.h"
#include "server/session/session_table.h"

namespace rondo {

// What one message or stream may ask for.
struct RpcLimits {
  size_t max_message_bytes = 4 << 20;  // of a request and of a reply
  size_t max_timesteps = 10'000;       // of one sequence
  size_t max_sequences_per_message = 4096;
  size_t max_streams = 10'000;        // open StreamPredict calls
  size_t max_pipelined_messages = 8;  // read ahead on one stream
};

// What a call on one loop has at hand. Borrowed parts outlive every call.
struct RpcContext {
  ServingLoop* loop = nullptr;
  CallList* calls = nullptr;  // of this loop
  ModelRegistry* registry = nullptr;
  SessionTable* sessions = nullptr;
  AdoptSessions adopt_sessions = AdoptSessions::kNever;
  RequestsProbe* metrics = nullptr;
  RpcLimits limits;
  std::atomic<size_t>* open_streams = nullptr;  // over all loops
  const std::atomic<bool>* draining = nullptr;  // true: refuse new work as UNAVAILABLE
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_RPC_CONTEXT_H_
