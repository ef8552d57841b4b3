#ifndef RONDO_CLIENT_CLI_STATE_FILE_H_
#define RONDO_CLIENT_CLI_STATE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

// Bytes from a file or from stdin, and to a file or to stdout; `path` "-": stdin or stdout. Messages name the path.

// The whole of it. INVALID_ARGUMENT: cannot be read, or has more than `max_bytes`. CANCELLED: interrupted.
absl::StatusOr<std::string> ReadBytes(const std::string& path, size_t max_bytes);

// A file is replaced atomically: on error what was there is there still, and a reader never sees a part. A pipe or a
// device is written to. UNKNOWN: cannot be written.
absl::Status WriteBytes(const std::string& path, absl::string_view bytes);

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_STATE_FILE_H_
