#ifndef RONDO_BASE_UNIX_SCHEME_H_
#define RONDO_BASE_UNIX_SCHEME_H_

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace rondo {

// How gRPC writes the address of a Unix socket, "unix:PATH", and the peer at the other end of one, "unix:".
inline constexpr absl::string_view kUnixScheme = "unix:";

inline bool IsUnix(absl::string_view address) { return absl::StartsWith(address, kUnixScheme); }

}  // namespace rondo

#endif  // RONDO_BASE_UNIX_SCHEME_H_
