#ifndef RONDO_CLIENT_SERVER_ADDRESS_H_
#define RONDO_CLIENT_SERVER_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

// Returns the name that gRPC has for the servers at `address`: HOST:PORT or any gRPC target as it is, a list
// IP:PORT,IP:PORT,... as a target of several addresses. INVALID_ARGUMENT: empty, with spaces, or a list of anything
// else (gRPC knows no list of names).
absl::StatusOr<std::string> TargetOf(absl::string_view address);

}  // namespace rondo

#endif  // RONDO_CLIENT_SERVER_ADDRESS_H_
