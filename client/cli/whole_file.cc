#include "client/cli/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "client/cli/input_file.h"

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
  const absl::StatusOr<std::unique_ptr<InputFile>> file = InputFile::Open(path);
  if (!file.ok()) return file.status();
  std::string bytes;
  while (true) {
    const absl::StatusOr<absl::string_view> piece = (*file)->Read();
    if (!piece.ok()) return piece.status();
    if (piece->empty()) return bytes;
    bytes.append(piece->data(), piece->size());
    if (bytes.size() > max_bytes) {
      return absl::InvalidArgumentError(
          absl::StrCat((*file)->name(), " has more than ", max_bytes, " bytes, which is the most that is read of it"));
    }
  }
}

absl::Status WriteBytes(const std::string& path, absl::string_view bytes) {
  const absl::Status status = WriteTo(path, bytes);
  if (status.ok()) return status;
  return absl::UnknownError(absl::StrCat("cannot write '", path == "-" ? "stdout" : path, "': ", status.message()));
}

}  // namespace rondo
