#ifndef RONDO_SERVER_LISTEN_PEER_NAME_H_
#define RONDO_SERVER_LISTEN_PEER_NAME_H_

#include <string>

namespace rondo {

// The other end of a connection as gRPC names it: "ipv4:127.0.0.1:5000", "ipv6:[::1]:5000" or "unix:". Empty: it is of
// another kind, or closed.
std::string PeerOf(int connection);

}  // namespace rondo

#endif  // RONDO_SERVER_LISTEN_PEER_NAME_H_
