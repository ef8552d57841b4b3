#ifndef RONDO_SERVER_SERVE_SERVE_CONTEXT_H_
#define RONDO_SERVER_SERVE_SERVE_CONTEXT_H_

#include <atomic>
#include <cstddef>

#include "server/loop/event.h"
#include "server/loop/step_engine.h"
#include "server/metrics/requests_probe.h"
#include "server/registry/adopt_sessions.h"
#include "server/registry/model_registry.h"
#include "server/session/session_table.h"

namespace rondo {

// What one message or forecast may ask for.
struct ServeLimits {
  size_t max_message_bytes = 4 << 20;  // of a request and of a reply
  size_t max_timesteps = 10'000;       // of one sequence
  size_t max_sequences_per_message = 4096;
};

// What a request on one loop has at hand. Everything is borrowed and outlives every request.
struct ServeContext {
  StepEngine* engine = nullptr;  // of this loop
  Poster* poster = nullptr;      // to this loop
  ModelRegistry* registry = nullptr;
  SessionTable* sessions = nullptr;
  AdoptSessions adopt_sessions = AdoptSessions::kNever;
  RequestsProbe* metrics = nullptr;
  ServeLimits limits;
  const std::atomic<bool>* draining = nullptr;  // true: refuse new work as UNAVAILABLE
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_SERVE_CONTEXT_H_
