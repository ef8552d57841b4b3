#include "client/cli/input_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "client/cli/interrupt.h"

namespace rondo {

absl::StatusOr<std::unique_ptr<InputFile>> InputFile::Open(const std::string& path) {
  std::string name = path == "-" ? "stdin" : absl::StrCat("'", path, "'");
  const int fd = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Invalid("cannot open ", name, ": ", std::strerror(errno));
  return std::unique_ptr<InputFile>(new InputFile(fd, std::move(name)));
}

InputFile::~InputFile() {
  if (fd_ != STDIN_FILENO) close(fd_);
}

absl::StatusOr<absl::string_view> InputFile::Read() {
  while (true) {
    if (!WaitReadable(fd_)) return absl::CancelledError("interrupted");
    const ssize_t count = read(fd_, piece_, sizeof(piece_));
    if (count >= 0) return absl::string_view(piece_, static_cast<size_t>(count));
    if (errno != EINTR && errno != EAGAIN) {
      return Invalid(name_, " cannot be read: ", std::strerror(errno));
    }
  }
}

}  // namespace rondo
