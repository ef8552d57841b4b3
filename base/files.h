#ifndef RONDO_BASE_FILES_H_
#define RONDO_BASE_FILES_H_

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rondo {

// Holds a regular file open for reading. It is read with pread and never mapped, so that a file which another process
// truncates gives an error, not SIGBUS. Messages name no path.
//
// Threads: any, several at a time.
class ReadableFile {
 public:
  // NOT_FOUND: no such file. INVALID_ARGUMENT: not a regular file. Other codes as the system's error.
  static absl::StatusOr<ReadableFile> Open(const std::string& path);
  // Opens a file in `folder`, or below it, by a path that may be hostile; an empty `folder` is the working folder.
  // Nothing else is ever opened: INVALID_ARGUMENT also if the path is absolute, has an empty name or "..", or goes
  // through a symbolic link.
  static absl::StatusOr<ReadableFile> OpenBelow(const std::string& folder, absl::string_view path);
  ReadableFile(ReadableFile&& other) noexcept;
  ReadableFile& operator=(ReadableFile&&) = delete;
  ~ReadableFile();

  uint64_t size() const { return static_cast<uint64_t>(opened_.st_size); }
  // Fills `bytes` from `offset`. DATA_LOSS: the file ends before.
  absl::Status ReadAt(uint64_t offset, absl::Span<char> bytes) const;
  // DATA_LOSS: the file is big and has holes: it announces bytes that were never written.
  absl::Status CheckDense() const;
  // DATA_LOSS: the file is not the size and age it was when it was opened.
  absl::Status CheckUnchanged() const;

 private:
  // Takes over a descriptor. INVALID_ARGUMENT: it is of no regular file.
  static absl::StatusOr<ReadableFile> Of(int fd);
  explicit ReadableFile(int fd) : fd_(fd), opened_() {}

  int fd_;
  struct stat opened_;
};

// Reads the whole of a small file. RESOURCE_EXHAUSTED: it has more than `max_bytes`. Other errors as ReadableFile's.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes);

// Writes all bytes to a file, a pipe or a socket, however many calls that takes. Errors as the system's.
absl::Status WriteAll(int fd, absl::string_view bytes);

// Writes the parts one after another to a new file beside `path`, makes it durable, and renames it to `path`. The new
// file's name is `path` with a suffix that ends in ".tmp"; its permissions are `mode` less the umask. On error `path`
// is what it was and the new file is gone; the code is the system's (NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED
// ...).
absl::Status WriteFileAtomically(const std::string& path, absl::Span<const absl::string_view> parts,
                                 mode_t mode = 0666);

// Makes it durable that `path` was made, renamed or removed, by syncing the folder that it is in.
absl::Status SyncFolderOf(const std::string& path);

}  // namespace rondo

#endif  // RONDO_BASE_FILES_H_
