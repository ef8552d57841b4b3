#include "client/cli/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "client/cli/interrupt.h"

namespace rondo {
namespace {

absl::Status WriteTo(const std::string& path, absl::string_view bytes) {
  if (path == "-") return WriteAll(STDOUT_FILENO, bytes);
  struct stat found = {};
  if (stat(path.c_str(), &found) != 0) return WriteFileAtomically(path, {bytes});
  if (S_ISREG(found.st_mode)) {
    std::error_code error;  // what a link names is replaced, not the link
    const std::filesystem::path real = std::filesystem::canonical(path, error);
    return WriteFileAtomically(error ? path : real.string(), {bytes});
  }
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, "opening the file");
  absl::Status status = WriteAll(fd, bytes);
  close(fd);
  return status;
}

}  // namespace

absl::StatusOr<std::string> ReadBytes(const std::string& path, size_t max_bytes) {
  const std::string name = path == "-" ? "stdin" : absl::StrCat("'", path, "'");
  const int fd = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::InvalidArgumentError(absl::StrCat("cannot open ", name, ": ", std::strerror(errno)));
  std::string bytes;
  absl::Status status;
  while (status.ok()) {
    char piece[1 << 16];
    if (!WaitReadable(fd)) {
      status = absl::CancelledError("interrupted");
      break;
    }
    const ssize_t count = read(fd, piece, sizeof(piece));
    if (count == 0) break;
    if (count < 0 && errno != EINTR && errno != EAGAIN) {
      status = absl::InvalidArgumentError(absl::StrCat(name, " cannot be read: ", std::strerror(errno)));
    }
    if (count > 0) bytes.append(piece, static_cast<size_t>(count));
    if (bytes.size() > max_bytes) {
      status =
          absl::InvalidArgumentError(absl::StrCat(name, " has more than ", max_bytes, " bytes, no session's state"));
    }
  }
  if (fd != STDIN_FILENO) close(fd);
  if (!status.ok()) return status;
  return bytes;
}

absl::Status WriteBytes(const std::string& path, absl::string_view bytes) {
  const absl::Status status = WriteTo(path, bytes);
  if (status.ok()) return status;
  return absl::UnknownError(absl::StrCat("cannot write '", path == "-" ? "stdout" : path, "': ", status.message()));
}

}  // namespace rondo
