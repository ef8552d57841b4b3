#ifndef RONDO_SERVER_LISTEN_LISTENER_H_
#define RONDO_SERVER_LISTEN_LISTENER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/listen/connection_places.h"
#include "server/listen/listening_sockets.h"
#include "server/metrics/metrics.h"

namespace rondo {

// Accepts connections and hands them on. It never gives up: without a free descriptor it turns connections away until
// there is one, and sockets that break are opened again.
//
// Ownership: borrows the metrics; a connection belongs to whom it was handed to.
// Threads:   one, and its own that accepts.
class Listener {
 public:
  struct Options {
    std::string address;          // HOST:PORT; port 0: any free one; or unix:PATH
    size_t max_connections = 0;   // at once; more are closed as they come
    absl::Duration user_timeout;  // see ListeningSockets
    // Hear of each connection that is let in, before it is handed on, and, a while later, that it is closed. Null:
    // nobody wants to. On the listener's thread.
    std::function<void(int connection, absl::string_view peer)> on_opened = nullptr;
    std::function<void(int connection)> on_closed = nullptr;
    UnixSocketAccess unix_socket_access = UnixSocketAccess::kOwner;
  };
  // Takes over `connection`, a socket that does not block and came through `listening_socket`. It must not wait.
  using HandOn = std::function<void(int listening_socket, int connection)>;

  // Listens, but accepts nothing before Start: connections wait. UNAVAILABLE: cannot listen there.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(const Options& options, Metrics* metrics);
  ~Listener();

  void Start(HandOn hand_on);
  // Returns when nothing is handed on any more, and nobody listens on the port.
  void Stop();

  int port() const { return port_; }
  // Tells whether connections are accepted: false once the sockets could not be opened again for 10 s, or the thread
  // did nothing between 30 calls. To be called about once a second. (Calls are counted and not time, since a process
  // that was stopped and goes on is well.)
  bool IsWell();

 private:
  Listener(const Options& options, ListeningSockets sockets, Metrics* metrics);

  void Run();
  // Waits up to a second for connections, and accepts those that are there.
  void Turn();
  void AcceptAllOf(int listening_socket);
  void Welcome(int listening_socket, int connection);
  // No descriptor is free: closes one connection by means of the spare, which is else kept for this.
  void TurnOneAway(int listening_socket);
  void CountRefused();
  void OpenAgain();

  const Options options_;
  const int port_;
  Metrics* const metrics_;
  HandOn hand_on_;  // constant after Start
  const int wake_;  // an eventfd: Stop writes it
  std::atomic<bool> stopping_{false};
  std::atomic<bool> broken_{false};  // the sockets, for so long that it is worth a restart
  std::atomic<uint64_t> turns_{0};   // of the thread
  uint64_t turns_seen_ = 0;          // by IsWell
  int looks_without_a_turn_ = 0;     // of IsWell, in a row

  // Only the thread uses these.
  ListeningSockets sockets_;
  ConnectionPlaces places_;
  int spare_;
  absl::Time broken_since_ = absl::InfiniteFuture();  // infinite: the sockets are well
  absl::Time next_recount_ = absl::InfinitePast();
  std::thread thread_;  // last: uses everything above
};

}  // namespace rondo

#endif  // RONDO_SERVER_LISTEN_LISTENER_H_
