#ifndef RONDO_SERVER_SESSION_SESSION_ID_H_
#define RONDO_SERVER_SESSION_SESSION_ID_H_

#include <string>

#include "absl/status/statusor.h"

namespace rondo {

// 128 random bits from the kernel as 32 hex digits: an id that nobody can guess. INTERNAL: the kernel gives none.
absl::StatusOr<std::string> RandomSessionId();

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_ID_H_
