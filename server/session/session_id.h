#ifndef RONDO_SERVER_SESSION_SESSION_ID_H_
#define RONDO_SERVER_SESSION_SESSION_ID_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

// Makes an id that nobody can guess: 128 random bits from the kernel as 32 hex digits. INTERNAL: the kernel gives none.
absl::StatusOr<std::string> RandomSessionId();

// INVALID_ARGUMENT unless `id` is 1..128 bytes of printable ASCII without spaces.
absl::Status ValidateSessionId(absl::string_view id);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_ID_H_
