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

// A regular file, open for reading. Read with pread, never mapped: a file that another process truncates then gives an
// error, not SIGBUS. Move-only; any thread. Messages name no path.
class ReadableFile {
 public:
  // NOT_FOUND: no such file. INVALID_ARGUMENT: not a regular file. Other codes as the system's error.
  static absl::StatusOr<ReadableFile> Open(const std::string& path);
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
  explicit ReadableFile(int fd) : fd_(fd), opened_() {}

  int fd_;
  struct stat opened_;
};

// The whole of a small file. RESOURCE_EXHAUSTED: it has more than `max_bytes`. Other errors as ReadableFile's.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes);

// Writes the parts one after another to a new file beside `path`, makes it durable, and renames it to `path`. On error
// `path` is what it was and the new file is gone; the code is the system's (NOT_FOUND, PERMISSION_DENIED,
// RESOURCE_EXHAUSTED ...).
absl::Status WriteFileAtomically(const std::string& path, absl::Span<const absl::string_view> parts);

}  // namespace rondo

#endif  // RONDO_BASE_FILES_H_
