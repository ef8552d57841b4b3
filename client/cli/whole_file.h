#ifndef RONDO_CLIENT_CLI_WHOLE_FILE_H_
#define RONDO_CLIENT_CLI_WHOLE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

// Both take "-" for stdin or stdout, and name the path in their messages.

// Reads the whole of a file or of stdin. INVALID_ARGUMENT: it cannot be read, or has more than `max_bytes`. CANCELLED:
// interrupted.
absl::StatusOr<std::string> ReadBytes(const std::string& path, size_t max_bytes);

// Writes a file or stdout. A file is replaced atomically: on error what was there is there still, and a reader never
// sees a part. A pipe or a device is written to. UNKNOWN: it cannot be written.
absl::Status WriteBytes(const std::string& path, absl::string_view bytes);

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_WHOLE_FILE_H_
