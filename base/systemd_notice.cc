#include "base/systemd_notice.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"

namespace rondo {

absl::Status NotifySystemd(absl::string_view state) {
  const char* const variable = getenv("NOTIFY_SOCKET");
  const absl::string_view name = variable == nullptr ? "" : variable;
  if (name.empty()) return absl::OkStatus();
  sockaddr_un address{};
  if ((name[0] != '/' && name[0] != '@') || name.size() >= sizeof(address.sun_path)) {
    return Invalid("NOTIFY_SOCKET is ", name.size(), " characters that begin with '", name.substr(0, 1),
                   "'; wanted a path or @NAME of at most ", sizeof(address.sun_path) - 1);
  }
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';  // a name in the kernel's table instead of a path
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool sent = descriptor >= 0 && sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL,
                                              reinterpret_cast<const sockaddr*>(&address), size) >= 0;
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  return sent ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("NOTIFY_SOCKET: ", strerror(error)));
}

}  // namespace rondo
