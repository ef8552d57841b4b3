#ifndef RONDO_SERVER_ACCESS_ACCESS_OPTIONS_H_
#define RONDO_SERVER_ACCESS_ACCESS_OPTIONS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/option_table.h"
#include "server/access/connection_limits.h"
#include "server/access/gate.h"
#include "server/access/tls_files.h"

namespace rondo {

// Who may connect to the server and call what.
struct AccessOptions {
  TlsOptions tls;
  GateOptions gate;
  ConnectionLimits connections;
  bool audit_log = true;  // what is done to sessions by their names is logged
  bool insecure = false;  // true: no TLS is wanted, whoever may reach the ports
};

// The options on the command line. `options` outlives the group.
OptionGroup AccessGroup(AccessOptions* options);

// INVALID_ARGUMENT: an option lacks another one; or one of `addresses` (HOST:PORT; empty: none), which the server
// listens on, can be reached from elsewhere, without TLS and without --insecure.
absl::Status CheckAccess(const AccessOptions& options, absl::Span<const std::string> addresses);

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_ACCESS_OPTIONS_H_
