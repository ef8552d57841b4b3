#ifndef RONDO_SERVER_OPTIONS_H_
#define RONDO_SERVER_OPTIONS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/registry/adopt_sessions.h"
#include "server/registry/model_registry.h"
#include "server/session/session_backing.h"
#include "server/session/session_table.h"

namespace rondo {

// Everything rondo-server can be told. Each value here has passed its bounds; `rondo-server --help` has unit, default,
// bounds and the meaning of 0 of each.
struct ServerOptions {
  struct Loops {
    std::optional<size_t> count;    // absent: the measured default for the CPUs available
    std::optional<size_t> helpers;  // compute helpers, shared by all loops; absent: the measured default; 0: none
    size_t max_active_sequences = 0;
    size_t max_queued_sequences = 0;
  };
  // Where sessions outlive the process.
  struct Store {
    std::string name;  // see OpenSessionStore; empty: nowhere
    Durability durability = Durability::kInterval;
    absl::Duration sync_interval = absl::Seconds(1);
    size_t max_resident = 0;
  };
  // What one client may send.
  struct Requests {
    size_t max_message_bytes = 0;
    size_t max_timesteps = 0;  // of one sequence
    size_t max_sequences_per_message = 0;
    size_t max_streams = 0;
    size_t max_pipelined_messages = 0;  // read ahead of their replies, per stream
  };

  std::string listen;                  // HOST:PORT of gRPC
  std::string http_listen;             // HOST:PORT of /metrics; empty: off
  absl::Duration model_poll_interval;  // zero: only SIGHUP
  absl::Duration keepalive_time;       // zero: never
  absl::Duration drain_timeout;
  AdoptSessions adopt_sessions = AdoptSessions::kNever;
  ModelRegistry::Options registry;
  SessionTable::Options sessions;
  Store store;
  Loops loops;
  Requests requests;
};

// Option names and their values as text, without dashes; `deterministic` is "true" or "false".
using OptionTexts = std::map<std::string, std::string>;

// Lets --help show the options, which live beside main and not in it, and --version the version. Before
// absl::ParseCommandLine.
void SetUpHelp();

// The options as the command line (already parsed by absl::ParseCommandLine) gives them.
OptionTexts OptionTextsFromFlags();

// Reads and checks all. INVALID_ARGUMENT: names the option, what came and what was wanted.
// REQUIRES: `texts` has every option, as OptionTextsFromFlags() has.
absl::StatusOr<ServerOptions> ParseOptions(const OptionTexts& texts);

}  // namespace rondo

#endif  // RONDO_SERVER_OPTIONS_H_
