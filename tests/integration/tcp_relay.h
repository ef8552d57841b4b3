#ifndef RONDO_TESTS_INTEGRATION_TCP_RELAY_H_
#define RONDO_TESTS_INTEGRATION_TCP_RELAY_H_

#include <cstddef>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"

namespace rondo {

// How a connection ends that nobody says goodbye on.
enum class ConnectionEnd {
  kReset,  // RST: what a killed process leaves if it had not read everything, or a firewall
  kClose,  // FIN: what it leaves if it had
};

// Carries the bytes of one connection between a client and the server, and can end it at any byte, as the kernel does
// when the client dies. Once it has ended, or the client has, nobody listens here any more.
//
// Threads: every method may be called from any thread.
class TcpRelay {
 public:
  // `server`: "127.0.0.1:PORT". The connection to it is made when a client comes.
  explicit TcpRelay(const std::string& server);
  ~TcpRelay();  // ends the connection

  const std::string& address() const { return address_; }

  size_t bytes_to_server() const;
  // False: they did not come in 20 s.
  bool WaitForBytesToServer(size_t total) const;

  // Ends the connection once `bytes` more have gone to the server.
  void EndAfter(size_t bytes, ConnectionEnd end);
  void WaitUntilEnded() const;
  // Carries nothing more and closes nothing, as when the client's machine has lost its power.
  void FallSilent();

 private:
  void Run();
  // How many bytes may go to the server now; nullopt: the connection is to end.
  std::optional<size_t> Allowance() const;
  // False: one side has closed.
  bool Forward(int from, int to, size_t max_bytes, size_t* forwarded);
  void CloseAll();
  void Wake();
  bool silent() const;

  const std::string server_;
  std::string address_;
  int listener_ = -1;
  int wake_ = -1;  // an eventfd: Run looks at what it has been told
  int client_side_ = -1;
  int server_side_ = -1;

  mutable Mutex mutex_;
  mutable CondVar changed_;
  size_t bytes_to_server_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<size_t> end_at_ ABSL_GUARDED_BY(mutex_);  // in bytes_to_server_
  ConnectionEnd end_ ABSL_GUARDED_BY(mutex_) = ConnectionEnd::kClose;
  bool silent_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // last: it uses everything above
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_TCP_RELAY_H_
