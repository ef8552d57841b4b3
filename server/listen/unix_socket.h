#ifndef RONDO_SERVER_LISTEN_UNIX_SOCKET_H_
#define RONDO_SERVER_LISTEN_UNIX_SOCKET_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "server/access/unix_address.h"

namespace rondo {

// A socket that listens at a path of this machine, and its file.
//
// Ownership: its owner has the file removed, then closes the descriptor. (Until then no other file has its inode.)
struct UnixSocket {
  int descriptor = -1;
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;
};

// Listens at `path`, without blocking. A socket's file that a server has left behind, at which nobody listens, is
// replaced; anything else there stays, and is refused. The file is never open to more than `access` allows. A file
// PATH.lock, its owner's alone, is made beside it and stays; the call waits some seconds for who has it locked.
// UNAVAILABLE: cannot listen there; the message says why.
absl::StatusOr<UnixSocket> ListenAtPath(const std::string& path, UnixSocketAccess access);

// Removes the socket's file, unless another one has its place.
void RemoveFileOf(const UnixSocket& socket);

}  // namespace rondo

#endif  // RONDO_SERVER_LISTEN_UNIX_SOCKET_H_
