#ifndef RONDO_SERVER_SESSION_SESSION_ID_H_
#define RONDO_SERVER_SESSION_SESSION_ID_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

// Makes an id that nobody can guess: 128 random bits from the kernel as 32 hex digits. INTERNAL: the kernel gives none.
absl::StatusOr<std::string> RandomSessionId();

// What a session is called inside the server and in its store: its id alone, or after the name of its tenant and a
// space. An id has no space, so no id of one tenant is the name of another's session. Where the table and what it is
// made of say "id" they mean this name; only what is shown to a client is the id alone.
//
// `buffer`: what the result points to, unless it is `id` itself: the tenant without a name needs no copy.
absl::string_view SessionName(absl::string_view tenant, absl::string_view id, std::string* buffer);
std::string SessionName(absl::string_view tenant, absl::string_view id);
absl::string_view TenantIn(absl::string_view name);
absl::string_view IdIn(absl::string_view name);

// INVALID_ARGUMENT unless the id in `name` is 1..128 bytes of printable ASCII without spaces.
absl::Status ValidateSessionId(absl::string_view name);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_ID_H_
