#ifndef RONDO_CLIENT_SERVER_ADDRESS_H_
#define RONDO_CLIENT_SERVER_ADDRESS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rondo {

// One server of an address.
struct ServerTarget {
  std::string first;   // as it stands in the address
  std::string target;  // gRPC's name for it, and for the others, which are asked in their turn when it is away
  std::string name;    // HOST:PORT that the server was found by; empty: the one in the target
};

// A DNS name that may stand for several servers.
struct ServerName {
  std::string host;
  std::string port;
};

// Returns the servers at `address`: each IP:PORT of a list IP:PORT,IP:PORT,...; HOST:PORT or any other gRPC target as
// it is. INVALID_ARGUMENT: no HOST:PORT with a port of 1 to 65535, with spaces, a list of anything else (gRPC knows no
// list of names), or a URL such as http://HOST:PORT.
absl::StatusOr<std::vector<ServerTarget>> TargetsOf(absl::string_view address);

// Returns the name in HOST:PORT or dns:///HOST:PORT. Nothing: the address is another kind of gRPC target, or its host
// is an IP address or this machine (localhost).
std::optional<ServerName> NameIn(absl::string_view address);

// Returns the addresses IP:PORT, sorted, of the servers behind a name that has these IP addresses: IPv4 ones if there
// is any, else IPv6 ones, as a server may have addresses of both and listen on one. Link-local ones count for nothing:
// they say no interface. Empty: there are not several.
std::vector<std::string> ServersAt(absl::Span<const std::string> ip_addresses, absl::string_view port);

// Returns the index of the server that a session lives on: the one whose address goes best with its id (rendezvous
// hashing). So a server that comes or goes moves only the sessions that it takes or leaves, and every client finds the
// same one. REQUIRES: there is a server.
size_t HomeOf(absl::string_view session_id, absl::Span<const ServerTarget> servers);

}  // namespace rondo

#endif  // RONDO_CLIENT_SERVER_ADDRESS_H_
