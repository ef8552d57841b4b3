#include "server/listen/unix_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace rondo {
namespace {

absl::Status CannotListen(const std::string& path, absl::string_view why) {
  return absl::UnavailableError(absl::StrCat("cannot listen on unix:", path, ": ", why));
}

mode_t ModeOf(UnixSocketAccess access) {
  switch (access) {
    case UnixSocketAccess::kOwner:
      return 0600;
    case UnixSocketAccess::kGroup:
      return 0660;
    case UnixSocketAccess::kAll:
      return 0666;
  }
  return 0600;
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Closes a descriptor at the end.
class Closed {
 public:
  explicit Closed(int descriptor) : descriptor_(descriptor) {}
  ~Closed() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Closed(const Closed&) = delete;
  Closed& operator=(const Closed&) = delete;
  int get() const { return descriptor_; }
  int release() {
    const int descriptor = descriptor_;
    descriptor_ = -1;
    return descriptor;
  }

 private:
  int descriptor_;
};

// Removes what another server has left behind at the path. An error says why the path is not free.
absl::Status FreePath(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? absl::OkStatus() : CannotListen(path, strerror(errno));
  }
  if (!S_ISSOCK(status.st_mode)) return CannotListen(path, "there is a file that is no socket; it stays as it is");
  const sockaddr_un address = AddressOf(path);
  const Closed probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 || errno == EAGAIN) {
    return CannotListen(path, "another process listens there");
  }
  if (errno != ECONNREFUSED && errno != ENOENT) return CannotListen(path, strerror(errno));
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return CannotListen(path, absl::StrCat("a socket that is not used any more cannot be removed: ", strerror(errno)));
}

}  // namespace

absl::StatusOr<UnixSocket> ListenAtPath(const std::string& path, UnixSocketAccess access) {
  if (absl::Status fits = CheckUnixPath(path); !fits.ok()) return fits;
  // Two servers that start at once must not remove each other's socket: who looks at the path has its folder's lock.
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const Closed lock(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.get() < 0) return CannotListen(path, strerror(errno));
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return CannotListen(path, "another process has locked its folder");
  if (absl::Status free = FreePath(path); !free.ok()) return free;
  Closed made(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_un address = AddressOf(path);
  // The file gets the permissions of its socket: nobody but the owner can connect before they are as they are to be.
  struct stat status {};
  const bool listens = made.get() >= 0 && fchmod(made.get(), 0600) == 0 &&
                       bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                       listen(made.get(), SOMAXCONN) == 0 && chmod(path.c_str(), ModeOf(access)) == 0 &&
                       lstat(path.c_str(), &status) == 0;
  if (!listens) return CannotListen(path, strerror(errno));
  return UnixSocket{made.release(), path, status.st_dev, status.st_ino};
}

void RemoveFileOf(const UnixSocket& socket) {
  struct stat status {};
  if (lstat(socket.path.c_str(), &status) != 0) return;
  if (status.st_dev == socket.device && status.st_ino == socket.inode) unlink(socket.path.c_str());
}

}  // namespace rondo
