#include "server/session/session_id.h"

#include <sys/random.h>

#include <cerrno>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/invalid.h"

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

absl::string_view SessionName(absl::string_view tenant, absl::string_view id, std::string* buffer) {
  // An id with a space is none; as a name it must not be taken for another tenant's session.
  if (tenant.empty() && id.find(' ') == absl::string_view::npos) return id;
  buffer->assign(tenant.data(), tenant.size());
  buffer->push_back(' ');
  buffer->append(id.data(), id.size());
  return *buffer;
}

std::string SessionName(absl::string_view tenant, absl::string_view id) {
  std::string buffer;
  return std::string(SessionName(tenant, id, &buffer));
}

absl::string_view TenantIn(absl::string_view name) {
  const size_t space = name.find(' ');
  return space == absl::string_view::npos ? absl::string_view() : name.substr(0, space);
}

absl::string_view IdIn(absl::string_view name) {
  const size_t space = name.find(' ');
  return space == absl::string_view::npos ? name : name.substr(space + 1);
}

absl::Status ValidateSessionId(absl::string_view name) {
  constexpr size_t kMaxBytes = 128;
  const absl::string_view id = IdIn(name);
  if (id.empty() || id.size() > kMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the session id has ", id.size(), " bytes; wanted 1 to ", kMaxBytes, " of printable ASCII"));
  }
  for (size_t i = 0; i < id.size(); ++i) {
    if (id[i] > ' ' && id[i] <= '~') continue;
    return Invalid("the session id's byte ", i, " is 0x", absl::Hex(static_cast<unsigned char>(id[i]), absl::kZeroPad2),
                   "; wanted printable ASCII without spaces");
  }
  return absl::OkStatus();
}

}  // namespace rondo
