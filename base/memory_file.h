#ifndef RONDO_BASE_MEMORY_FILE_H_
#define RONDO_BASE_MEMORY_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rondo {

// A file that is on no disk: it has a path for this process only, and goes with it.
//
// Threads: one writes; whoever opens the path reads.
class MemoryFile {
 public:
  explicit MemoryFile(const char* name);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Makes `bytes` all that the file holds. Errors as the system's.
  absl::Status Write(absl::string_view bytes);
  // Adds `bytes` to what the file holds. Errors as the system's.
  absl::Status Append(absl::string_view bytes);
  std::string path() const;

 private:
  const int descriptor_;
};

}  // namespace rondo

#endif  // RONDO_BASE_MEMORY_FILE_H_
