#include "base/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rondo {
namespace {

// Below this a sparse file is harmless. Above it, trained weights have no hole in any file system known to us.
constexpr uint64_t kMaxSparseBytes = uint64_t{64} << 20;

bool SameTime(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

absl::Status WriteAndSync(int fd, absl::Span<const absl::string_view> parts) {
  for (absl::string_view part : parts) {
    if (absl::Status status = WriteAll(fd, part); !status.ok()) return status;
  }
  if (fsync(fd) != 0) return absl::ErrnoToStatus(errno, "syncing the file");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ReadableFile> ReadableFile::Open(const std::string& path) {
  // O_NONBLOCK: a FIFO under this name must not hang the caller.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return absl::ErrnoToStatus(errno, "opening the file");
  return Of(fd);
}

absl::StatusOr<ReadableFile> ReadableFile::OpenBelow(const std::string& folder, absl::string_view path) {
  const std::vector<std::string> names = absl::StrSplit(path, '/');
  for (const std::string& name : names) {
    if (name.empty() || name == ".." || absl::StrContains(name, absl::string_view("\0", 1))) {
      return absl::InvalidArgumentError("not a relative path of plain names that stays inside the folder");
    }
  }
  int fd = open(folder.empty() ? "." : folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (size_t i = 0; fd >= 0 && i < names.size(); ++i) {
    const int kind = i + 1 < names.size() ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK;
    const int next = openat(fd, names[i].c_str(), kind | O_NOFOLLOW | O_CLOEXEC);
    const int error = errno;
    close(fd);
    fd = next;
    errno = error;
  }
  // A link as the last name is ELOOP, one on the way ENOTDIR.
  if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
    return absl::InvalidArgumentError(
        "the path is of a symbolic link, or goes through one or what is no folder; cp -L copies what a link names");
  }
  if (fd < 0) return absl::ErrnoToStatus(errno, "opening the file");
  return Of(fd);
}

absl::StatusOr<ReadableFile> ReadableFile::Of(int fd) {
  ReadableFile file(fd);
  if (fstat(fd, &file.opened_) != 0) return absl::ErrnoToStatus(errno, "looking at the file");
  if (S_ISDIR(file.opened_.st_mode)) return absl::InvalidArgumentError("a folder, not a regular file");
  if (!S_ISREG(file.opened_.st_mode)) return absl::InvalidArgumentError("not a regular file");
  return file;
}

ReadableFile::ReadableFile(ReadableFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), opened_(other.opened_) {}

ReadableFile::~ReadableFile() {
  if (fd_ >= 0) close(fd_);
}

absl::Status ReadableFile::ReadAt(uint64_t offset, absl::Span<char> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::ErrnoToStatus(errno, "reading the file");
    if (count == 0) return absl::DataLossError(absl::StrCat("the file ends at byte ", offset, "; more was announced"));
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return absl::OkStatus();
}

absl::Status ReadableFile::CheckDense() const {
  if (size() <= kMaxSparseBytes) return absl::OkStatus();
  const off_t hole = lseek(fd_, 0, SEEK_HOLE);  // the end of the file if there is none, or if nobody knows
  if (hole < 0 || static_cast<uint64_t>(hole) >= size()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the file has a hole at byte ", hole, " of ", size(),
                                          "; a file of more than ", kMaxSparseBytes, " bytes must not be sparse"));
}

absl::Status ReadableFile::CheckUnchanged() const {
  struct stat now = {};
  if (fstat(fd_, &now) != 0) return absl::ErrnoToStatus(errno, "looking at the file");
  if (now.st_size == opened_.st_size && SameTime(now.st_mtim, opened_.st_mtim)) return absl::OkStatus();
  return absl::DataLossError("the file was changed while it was read");
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes) {
  const absl::StatusOr<ReadableFile> file = ReadableFile::Open(path);
  if (!file.ok()) return file.status();
  if (file->size() > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the file has ", file->size(), " bytes; at most ", max_bytes, " are read"));
  }
  std::string text(file->size(), '\0');
  if (absl::Status status = file->ReadAt(0, absl::MakeSpan(text)); !status.ok()) return status;
  return text;
}

absl::Status WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::ErrnoToStatus(errno, "writing the file");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status WriteFileAtomically(const std::string& path, absl::Span<const absl::string_view> parts, mode_t mode) {
  static std::atomic<uint64_t> next_suffix{0};
  const std::string temporary = absl::StrCat(path, ".", getpid(), "-", next_suffix++, ".tmp");
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return absl::ErrnoToStatus(errno, "creating the file");
  absl::Status status = WriteAndSync(fd, parts);
  if (close(fd) != 0 && status.ok()) status = absl::ErrnoToStatus(errno, "closing the file");
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) {
    status = absl::ErrnoToStatus(errno, "renaming the file");
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  return SyncFolderOf(path);
}

absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, "opening the folder");
  const int synced = fsync(fd);
  const int error = errno;
  close(fd);
  // Some network file systems cannot sync a folder and say EINVAL: then there is nothing more to do.
  if (synced != 0 && error != EINVAL) return absl::ErrnoToStatus(error, "syncing the folder");
  return absl::OkStatus();
}

}  // namespace rondo
