#include "server/access/unix_address.h"

#include <sys/un.h>

#include "absl/strings/match.h"
#include "base/invalid.h"
#include "base/unix_scheme.h"

namespace rondo {
namespace {

constexpr size_t kMaxPathBytes = sizeof(sockaddr_un::sun_path) - 1;

}  // namespace

std::string UnixPathOf(absl::string_view address) {
  if (!IsUnix(address)) return "";
  address.remove_prefix(kUnixScheme.size());
  if (absl::StartsWith(address, "///")) address.remove_prefix(2);
  return std::string(address);
}

absl::Status CheckUnixPath(absl::string_view path) {
  if (!path.empty() && path.size() <= kMaxPathBytes && path.find('\0') == absl::string_view::npos) {
    return absl::OkStatus();
  }
  return Invalid("the path of a Unix socket has ", path.size(), " bytes; wanted 1 to ", kMaxPathBytes);
}

}  // namespace rondo
