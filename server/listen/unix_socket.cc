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
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace rondo {
namespace {

absl::Status CannotListenAt(const std::string& path, absl::string_view why) {
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
  Closed(Closed&& other) noexcept : descriptor_(other.release()) {}
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
    return errno == ENOENT ? absl::OkStatus() : CannotListenAt(path, strerror(errno));
  }
  if (!S_ISSOCK(status.st_mode)) return CannotListenAt(path, "there is a file that is no socket; it stays as it is");
  const sockaddr_un address = AddressOf(path);
  const Closed probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 || errno == EAGAIN) {
    return CannotListenAt(path, "another process listens there");
  }
  if (errno != ECONNREFUSED && errno != ENOENT) return CannotListenAt(path, strerror(errno));
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return CannotListenAt(path, absl::StrCat("a socket that is not used any more cannot be removed: ", strerror(errno)));
}

// Takes the lock of those who look at `path`, so that two servers that start at once do not remove each other's socket.
// Its file stays, as somebody may wait for its lock. Nobody but the server's user can open the file, and so hold the
// lock.
absl::StatusOr<Closed> LockPath(const std::string& path) {
  constexpr absl::Duration kRetry = absl::Milliseconds(10);
  constexpr int kTries = 500;  // the one before needs a millisecond
  const std::string name = absl::StrCat(path, ".lock");
  Closed lock(open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (lock.get() < 0) return CannotListenAt(path, absl::StrCat("its lock ", name, ": ", strerror(errno)));
  for (int tries = 0; flock(lock.get(), LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return CannotListenAt(path, absl::StrCat("its lock ", name, ": ", strerror(errno)));
    }
    if (tries == kTries) return CannotListenAt(path, absl::StrCat("another process keeps ", name, " locked"));
    absl::SleepFor(kRetry);
  }
  return lock;
}

}  // namespace

absl::StatusOr<UnixSocket> ListenAtPath(const std::string& path, UnixSocketAccess access) {
  if (absl::Status fits = CheckUnixPath(path); !fits.ok()) return fits;
  const absl::StatusOr<Closed> lock = LockPath(path);
  if (!lock.ok()) return lock.status();
  if (absl::Status free = FreePath(path); !free.ok()) return free;
  Closed made(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_un address = AddressOf(path);
  // The file gets the permissions of its socket: nobody but the owner can connect before they are as they are to be.
  struct stat status {};
  const bool listens = made.get() >= 0 && fchmod(made.get(), 0600) == 0 &&
                       bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                       listen(made.get(), SOMAXCONN) == 0 && chmod(path.c_str(), ModeOf(access)) == 0 &&
                       lstat(path.c_str(), &status) == 0;
  if (!listens) return CannotListenAt(path, strerror(errno));
  return UnixSocket{made.release(), path, status.st_dev, status.st_ino};
}

void RemoveFileOf(const UnixSocket& socket) {
  struct stat status {};
  if (lstat(socket.path.c_str(), &status) != 0) return;
  if (status.st_dev == socket.device && status.st_ino == socket.inode) unlink(socket.path.c_str());
}

}  // namespace rondo
