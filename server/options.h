#ifndef RONDO_SERVER_OPTIONS_H_
#define RONDO_SERVER_OPTIONS_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "base/log.h"
#include "base/option_table.h"
#include "server/access/access_options.h"
#include "server/access/unix_address.h"
#include "server/loop/active_set.h"
#include "server/registry/adopt_sessions.h"
#include "server/registry/model_registry.h"
#include "server/serve/request_limits.h"
#include "server/session/session_backing.h"
#include "server/session/session_table.h"
#include "server/tracing/tracing_options.h"

namespace rondo {

// Everything rondo-server can be told. The value that a member has here, or in the Options of a part, is the option's
// default; ServerOptionTable has unit, bounds and the meaning of 0.
struct ServerOptions {
  struct Loops {
    std::optional<size_t> count;    // absent: the measured default for the CPUs available
    std::optional<size_t> helpers;  // compute helpers, shared by all loops; absent: the measured default; 0: none
    ActiveSet::Options active_set;  // of each loop
  };
  // Where sessions outlive the process.
  struct Store {
    std::string name = "memory";  // see OpenSessionStore; "memory": nowhere
    Durability durability = SessionPersistence().durability;
    absl::Duration sync_interval = SessionPersistence().sync_interval;
    StoreDamage damage = StoreDamage::kRefuse;
    size_t max_resident = 0;  // 0: follows from the number of sessions
  };

  // What one client may send.
  struct Requests : ServeLimits, StreamLimits, WorkLimits {
    Requests() { max_work_bytes = 0; }  // 0: follows from the memory there is
  };

  size_t max_memory = 0;                  // bytes; 0: 80 % of what the machine or the cgroup has
  std::string listen = "127.0.0.1:8001";  // HOST:PORT of gRPC, or unix:PATH
  UnixSocketAccess unix_socket_access = UnixSocketAccess::kOwner;
  size_t max_connections = 0;                              // to gRPC, at once; 0: as descriptors allow
  std::string http_listen = "127.0.0.1:8002";              // HOST:PORT of the page, /metrics and the like; empty: off
  absl::Duration model_poll_interval = absl::Seconds(10);  // zero: only SIGHUP
  absl::Duration keepalive_time = absl::Seconds(30);       // zero: never
  absl::Duration shutdown_delay = absl::ZeroDuration();
  absl::Duration drain_timeout = absl::Seconds(30);
  AdoptSessions adopt_sessions = AdoptSessions::kNever;
  // A flag that leaves with the next version: it stands for the kernel that answers so.
  bool deterministic = false;
  LogOptions log;
  TracingOptions tracing;
  AccessOptions access;
  ModelRegistry::Options registry;
  SessionTable::Options sessions;
  Store store;
  Loops loops;
  Requests requests;

  // What a 0 of these stands for is put in its place.
  size_t memory() const;
  WorkLimits work_limits() const;
  ConnectionLimits connection_limits() const;
};

// The command line of rondo-server. Reading it fills *options, which must outlive the table.
OptionTable ServerOptionTable(ServerOptions* options);

}  // namespace rondo

#endif  // RONDO_SERVER_OPTIONS_H_
