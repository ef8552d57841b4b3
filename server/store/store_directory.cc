#include "server/store/store_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/annotate.h"
#include "base/files.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;

// A marker that was being written when its process ended has such a name.
bool IsUnfinishedMarker(absl::string_view name) {
  return absl::ConsumePrefix(&name, kMarkerFile) && absl::StartsWith(name, ".");
}

absl::Status SystemError(int error, absl::string_view deed, absl::string_view directory) {
  const std::string message = absl::StrCat("cannot ", deed, " the session store ", directory, ": ", strerror(error));
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(message);
    case EEXIST:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return absl::FailedPreconditionError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::Status MakeDirectory(const std::string& directory) {
  std::error_code error;
  fs::path path(directory);
  if (!path.has_filename()) path = path.parent_path();  // it ended in /
  const fs::path parent = path.parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  if (!error && mkdir(path.c_str(), S_IRWXU) != 0) error.assign(errno, std::generic_category());
  if (!error) return absl::OkStatus();
  std::error_code ignored;
  if (fs::is_directory(directory, ignored)) return absl::OkStatus();
  if (fs::exists(directory, ignored)) {
    return absl::FailedPreconditionError(absl::StrCat(directory, " is a file; a session store is a directory"));
  }
  return SystemError(error.value(), "make", directory);
}

absl::Status WriteMarker(const std::string& directory) {
  const absl::Status status =
      WriteFileAtomically(absl::StrCat(directory, "/", kMarkerFile), {kMarkerText}, S_IRUSR | S_IWUSR);
  if (status.ok()) return status;
  return Annotate(status, absl::StrCat("cannot write into the session store ", directory));
}

absl::Status CheckMarker(const std::string& directory) {
  const int file = open(absl::StrCat(directory, "/", kMarkerFile).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return SystemError(errno, "read", directory);
  std::array<char, 64> bytes;
  const ssize_t size = read(file, bytes.data(), bytes.size());
  const int error = errno;
  close(file);
  if (size < 0) return SystemError(error, "read", directory);
  const absl::string_view text(bytes.data(), static_cast<size_t>(size));
  if (text == kMarkerText) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(directory, "/", kMarkerFile, " does not say \"",
                                                    absl::StripSuffix(kMarkerText, "\n"),
                                                    "\", the format that this server reads and writes"));
}

}  // namespace

absl::Status PrepareStoreDirectory(const std::string& directory) {
  if (absl::Status made = MakeDirectory(directory); !made.ok()) return made;
  bool empty = true;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name == kMarkerFile) return CheckMarker(directory);
    if (name != "lost+found" && !IsUnfinishedMarker(name)) empty = false;
  }
  if (error) return SystemError(error.value(), "read", directory);
  if (empty) return WriteMarker(directory);
  return absl::FailedPreconditionError(
      absl::StrCat(directory, " is neither empty nor a session store of Rondo: it has no ", kMarkerFile));
}

uint64_t FreeBytes(const std::string& directory) {
  struct statvfs system {};
  if (statvfs(directory.c_str(), &system) != 0) return 0;
  return uint64_t{system.f_bavail} * system.f_frsize;
}

}  // namespace rondo
