#ifndef RONDO_SERVER_SERVER_H_
#define RONDO_SERVER_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/options.h"

namespace rondo {

// The whole server: its parts are built bottom-up by Start and stopped top-down by Stop.
//
// Threads: Start, Stop and Maintain from one thread; the parts have their own.
class Server {
 public:
  // Loads the models, listens and serves. Any error of a part: nothing runs.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options);
  ~Server();

  // Tells health NOT_SERVING, refuses new work as UNAVAILABLE, finishes what runs, saves every session, tells each
  // stream where its sessions stand, and returns when all calls have ended; those that have not after `timeout` are
  // cut. Called once at most; the destructor calls it with zero.
  void Stop(absl::Duration timeout);

  // The work that comes by itself: idle sessions end, the model repository is looked at. Call about once a second.
  void Maintain(absl::Time now);
  // Looks at the model repository now.
  void ReloadModels();

  // False: no connections are accepted and this cannot be mended from within; only a restart can help.
  // Call about once a second.
  bool IsListening();

  // "host:port" of the gRPC port, and of /metrics ("" if off): with the real port numbers.
  const std::string& address() const;
  const std::string& http_address() const;
  // The page /metrics shows.
  std::string MetricsPage() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVER_H_
