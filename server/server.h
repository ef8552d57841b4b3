#ifndef RONDO_SERVER_SERVER_H_
#define RONDO_SERVER_SERVER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/options.h"

namespace rondo {

// The whole server: its parts are built bottom-up by Start and stopped top-down by Stop.
//
// Threads: CutShort and ReloadModels from any thread, all else from one at a time; the parts have their own.
class Server {
 public:
  // Listens and begins to load the models; until they are there health says NOT_SERVING and requests for a model are
  // refused as UNAVAILABLE. Any error of a part: nothing runs.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options);
  // Waits for the model that is being loaded, if any: no load can be broken off.
  virtual ~Server() = default;

  // Waits for the first models. OK: the server serves; a repository may have none that can be loaded. An error: that of
  // a model file that was given by name. Absent: they are not loaded by `deadline`.
  virtual std::optional<absl::Status> AwaitModels(absl::Time deadline) = 0;
  // Tells whether a model is being loaded, for which the destructor would wait.
  virtual bool loading() const = 0;

  // Tells health NOT_SERVING, and serves on. Before Stop, for as long as load balancers take to follow.
  virtual void SayLeaving() = 0;
  // Tells health NOT_SERVING, refuses new work as UNAVAILABLE, finishes what runs, saves every session, tells each
  // stream where its sessions stand, closes the store, and returns when all calls have ended; those that have not after
  // `timeout` are cut. A model that is being loaded goes on. Returns how many sessions the store did not take. Called
  // once at most; the destructor calls it with zero.
  virtual size_t Stop(absl::Duration timeout) = 0;
  // Ends the timeout of a Stop that runs now.
  virtual void CutShort() = 0;

  // The work that comes by itself: idle sessions end, the model repository is looked at. Call about once a second.
  virtual void Maintain(absl::Time now) = 0;
  // Asks for a look at the models, which are loaded on a thread of their own.
  virtual void AskForModels() = 0;
  // Looks at the models, and returns when those that are new are loaded.
  virtual void ReloadModels() = 0;

  // False: no connections are accepted and this cannot be mended from within; only a restart can help.
  // Call about once a second.
  virtual bool IsListening() = 0;

  // "host:port" of the gRPC port, and of /metrics ("" if off): with the real port numbers.
  virtual const std::string& address() const = 0;
  virtual const std::string& http_address() const = 0;
  // The page /metrics shows.
  virtual std::string MetricsPage() const = 0;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVER_H_
