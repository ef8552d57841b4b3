#include "server/session/session_id.h"

#include <sys/random.h>

#include <cerrno>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace rondo {

absl::StatusOr<std::string> RandomSessionId() {
  char bytes[16];
  ssize_t got = 0;
  do {
    got = getrandom(bytes, sizeof bytes, 0);  // up to 256 bytes come whole or not at all
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof bytes)) return absl::InternalError("no random bytes for a session id");
  return absl::BytesToHexString(absl::string_view(bytes, sizeof bytes));
}

absl::Status ValidateSessionId(absl::string_view id) {
  constexpr size_t kMaxBytes = 128;
  if (id.empty() || id.size() > kMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the session id has ", id.size(), " bytes; wanted 1 to ", kMaxBytes, " of printable ASCII"));
  }
  for (size_t i = 0; i < id.size(); ++i) {
    if (id[i] > ' ' && id[i] <= '~') continue;
    return absl::InvalidArgumentError(absl::StrCat("the session id's byte ", i, " is 0x",
                                                   absl::Hex(static_cast<unsigned char>(id[i]), absl::kZeroPad2),
                                                   "; wanted printable ASCII without spaces"));
  }
  return absl::OkStatus();
}

}  // namespace rondo
