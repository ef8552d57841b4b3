#ifndef RONDO_SERVER_LISTEN_CONNECTION_PLACES_H_
#define RONDO_SERVER_LISTEN_CONNECTION_PLACES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rondo {

// Decides whether one more connection may come in, and knows those that have. Nobody says when a connection is closed:
// gRPC owns it. So the places are recounted, by asking the kernel whether each descriptor still is the socket that
// came. It is policy, without a lock, a thread or a clock.
class ConnectionPlaces {
 public:
  // Tells whether the descriptor is still the socket with that inode.
  using IsOpen = absl::FunctionRef<bool(int descriptor, uint64_t inode)>;

  // Hears that the connection of a descriptor is closed, before another one gets its place.
  using OnClosed = std::function<void(int descriptor)>;

  explicit ConnectionPlaces(size_t max_connections, OnClosed on_closed = nullptr)
      : max_connections_(max_connections), on_closed_(std::move(on_closed)) {}

  // Gives the connection a place if there is one. When all seem taken it recounts first, unless it did so within the
  // last microsecond per place (a recount takes about a third of that): a flood must not make it count all day.
  // UNAVAILABLE: all are taken.
  absl::Status Admit(int descriptor, uint64_t inode, absl::Time now, IsOpen is_open);

  // Frees the places of connections that are closed.
  void Recount(absl::Time now, IsOpen is_open);

  size_t taken() const { return inodes_.size(); }
  size_t max_connections() const { return max_connections_; }

 private:
  const size_t max_connections_;
  const OnClosed on_closed_;                   // may be null
  absl::flat_hash_map<int, uint64_t> inodes_;  // of each connection, by its descriptor
  absl::Time last_recount_ = absl::InfinitePast();
};

}  // namespace rondo

#endif  // RONDO_SERVER_LISTEN_CONNECTION_PLACES_H_
