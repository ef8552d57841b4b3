#ifndef RONDO_SERVER_SERVE_SERVE_CONTEXT_H_
#define RONDO_SERVER_SERVE_SERVE_CONTEXT_H_

#include <atomic>

#include "server/loop/event.h"
#include "server/loop/step_engine.h"
#include "server/loop/turn_clock.h"
#include "server/metrics/probes.h"
#include "server/registry/adopt_sessions.h"
#include "server/registry/model_registry.h"
#include "server/serve/memory_budget.h"
#include "server/serve/request_limits.h"
#include "server/serve/work_budget.h"
#include "server/session/session_table.h"

namespace rondo {

// What a request on one loop has at hand. Everything is borrowed and outlives every request.
struct ServeContext {
  StepEngine* engine = nullptr;  // of this loop
  Poster* poster = nullptr;      // to this loop
  const TurnClock* clock = nullptr;
  ModelRegistry* registry = nullptr;
  SessionTable* sessions = nullptr;
  AdoptSessions adopt_sessions = AdoptSessions::kNever;
  RequestsProbe* metrics = nullptr;
  ServeLimits limits;
  WorkBudget* budget = nullptr;                 // of all loops
  MemoryBudget* memory = nullptr;               // of the process
  const std::atomic<bool>* draining = nullptr;  // true: refuse new work as UNAVAILABLE
};

// What a session with a state of so many floats takes in memory, about.
inline size_t BytesOfSession(size_t state_size) { return 256 + state_size * sizeof(float); }

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_SERVE_CONTEXT_H_
