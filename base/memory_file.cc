#include "base/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace rondo {

MemoryFile::MemoryFile(const char* name) : descriptor_(memfd_create(name, MFD_CLOEXEC)) {}

MemoryFile::~MemoryFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status MemoryFile::Write(absl::string_view bytes) {
  if (descriptor_ < 0 || lseek(descriptor_, 0, SEEK_SET) != 0) return absl::ErrnoToStatus(errno, "no memory file");
  if (absl::Status written = WriteAll(descriptor_, bytes); !written.ok()) return written;
  return ftruncate(descriptor_, static_cast<off_t>(bytes.size())) == 0 ? absl::OkStatus()
                                                                       : absl::ErrnoToStatus(errno, "no memory file");
}

absl::Status MemoryFile::Append(absl::string_view bytes) {
  if (descriptor_ < 0 || lseek(descriptor_, 0, SEEK_END) < 0) return absl::ErrnoToStatus(errno, "no memory file");
  return WriteAll(descriptor_, bytes);
}

std::string MemoryFile::path() const { return absl::StrCat("/proc/self/fd/", descriptor_); }

}  // namespace rondo
