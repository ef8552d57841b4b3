#include "server/listen/listening_sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rondo {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

absl::Status CannotListen(const std::string& address, absl::string_view cause) {
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", address, ": in use, or no such address (", cause, ")"));
}

bool SetOption(int descriptor, int level, int name, int value) {
  return setsockopt(descriptor, level, name, &value, sizeof(value)) == 0;
}

in_port_t* PortOf(sockaddr_storage* address) {
  return address->ss_family == AF_INET6 ? &reinterpret_cast<sockaddr_in6*>(address)->sin6_port
                                        : &reinterpret_cast<sockaddr_in*>(address)->sin_port;
}

// Returns the descriptor and sets *port if it was 0; -1: errno says why not.
int ListenOn(const addrinfo& where, absl::Duration user_timeout, int* port) {
  sockaddr_storage address{};
  memcpy(&address, where.ai_addr, where.ai_addrlen);
  *PortOf(&address) = htons(static_cast<in_port_t>(*port));
  const int made = socket(where.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (made < 0) return -1;
  const int timeout_ms = static_cast<int>(absl::ToInt64Milliseconds(user_timeout));
  socklen_t size = where.ai_addrlen;
  const bool listens = SetOption(made, SOL_SOCKET, SO_REUSEADDR, 1) && SetOption(made, IPPROTO_TCP, TCP_NODELAY, 1) &&
                       SetOption(made, IPPROTO_TCP, TCP_USER_TIMEOUT, timeout_ms) &&
                       (where.ai_family != AF_INET6 || SetOption(made, IPPROTO_IPV6, IPV6_V6ONLY, 0)) &&
                       bind(made, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(made, SOMAXCONN) == 0 &&
                       getsockname(made, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (listens) {
    *port = ntohs(*PortOf(&address));
    return made;
  }
  const int error = errno;
  close(made);
  errno = error;
  return -1;
}

// Returns null if the host stands for nothing; *error is then the resolver's.
Addresses Resolve(std::string host, const std::string& port, int* error) {
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) host = host.substr(1, host.size() - 2);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  *error = getaddrinfo(host.c_str(), port.c_str(), &wanted, &found);
  return Addresses(*error == 0 ? found : nullptr, &freeaddrinfo);
}

}  // namespace

absl::StatusOr<ListeningSockets> ListeningSockets::Open(const std::string& address, absl::Duration user_timeout,
                                                        UnixSocketAccess access) {
  if (const std::string path = UnixPathOf(address); !path.empty()) {
    absl::StatusOr<UnixSocket> made = ListenAtPath(path, access);
    if (!made.ok()) return made.status();
    ListeningSockets sockets;
    sockets.descriptors_.push_back(made->descriptor);
    sockets.unix_ = *std::move(made);
    return sockets;
  }
  const size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon), port = address.substr(colon + 1);
  int error = 0;
  ListeningSockets sockets;
  sockets.port_ = atoi(port.c_str());
  const auto listen_on_all = [&](const std::string& name) {
    const Addresses found = Resolve(name, port, &error);
    if (found == nullptr) return;
    error = 0;
    for (const addrinfo* where = found.get(); where != nullptr; where = where->ai_next) {
      const int descriptor = ListenOn(*where, user_timeout, &sockets.port_);
      if (descriptor >= 0) sockets.descriptors_.push_back(descriptor);
      if (descriptor < 0) error = errno;
    }
  };
  const bool is_any = host == "0.0.0.0" || host == "[::]";
  if (is_any) listen_on_all("::");  // takes IPv4 too
  if (sockets.descriptors_.empty() && !(is_any && error == EADDRINUSE)) listen_on_all(is_any ? "0.0.0.0" : host);
  // Were another process there, clients would reach one or the other.
  const bool shared = error == EADDRINUSE && port != "0";
  if (!sockets.descriptors_.empty() && !shared) return sockets;
  return CannotListen(address, error < 0 ? gai_strerror(error) : strerror(error));
}

ListeningSockets::~ListeningSockets() {
  if (unix_) RemoveFileOf(*unix_);
  for (const int descriptor : descriptors_) close(descriptor);
}

}  // namespace rondo
