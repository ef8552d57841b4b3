#ifndef RONDO_SERVER_ACCESS_UNIX_ADDRESS_H_
#define RONDO_SERVER_ACCESS_UNIX_ADDRESS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rondo {

// Who may connect to a Unix socket: what its file's permissions are.
enum class UnixSocketAccess { kOwner, kGroup, kAll };

// The path of "unix:PATH" or "unix:///PATH"; empty: the address is none of a Unix socket.
std::string UnixPathOf(absl::string_view address);

// OK: `path` can be that of a Unix socket. INVALID_ARGUMENT: it is empty or too long.
absl::Status CheckUnixPath(absl::string_view path);

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_UNIX_ADDRESS_H_
