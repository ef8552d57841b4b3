#ifndef RONDO_SERVER_LISTEN_LISTENING_SOCKETS_H_
#define RONDO_SERVER_LISTEN_LISTENING_SOCKETS_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/listen/unix_socket.h"

namespace rondo {

// Sockets that listen on one HOST:PORT, one for each address that HOST stands for; or one at a path, unix:PATH.
//
// Ownership: closes them when it goes.
class ListeningSockets {
 public:
  // `address`: HOST:PORT; an IPv6 address in brackets; 0.0.0.0 and [::] mean IPv4 and IPv6 both; port 0: any free one,
  // the same for each address. Connections inherit `user_timeout`: how long sent bytes may stay unacknowledged before
  // the kernel gives the connection up (zero: its default). The sockets do not block and share their port with no other
  // process. UNAVAILABLE: none of the addresses can be listened on; the message says why.
  // `access`: who may connect to a Unix socket; see ListenAtPath.
  static absl::StatusOr<ListeningSockets> Open(const std::string& address, absl::Duration user_timeout,
                                               UnixSocketAccess access = UnixSocketAccess::kOwner);

  ListeningSockets(ListeningSockets&& other) noexcept { *this = std::move(other); }
  ListeningSockets& operator=(ListeningSockets&& other) noexcept {
    std::swap(descriptors_, other.descriptors_);
    std::swap(port_, other.port_);
    std::swap(unix_, other.unix_);
    return *this;
  }
  ~ListeningSockets();

  const std::vector<int>& descriptors() const { return descriptors_; }
  int port() const { return port_; }  // 0: there is none, but a path

 private:
  ListeningSockets() = default;

  std::vector<int> descriptors_;
  int port_ = 0;
  std::optional<UnixSocket> unix_;  // the file of the only descriptor
};

}  // namespace rondo

#endif  // RONDO_SERVER_LISTEN_LISTENING_SOCKETS_H_
