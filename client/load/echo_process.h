#ifndef RONDO_CLIENT_LOAD_ECHO_PROCESS_H_
#define RONDO_CLIENT_LOAD_ECHO_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace rondo::load {

// A rondo-echo that runs as a process of its own, as isolated from the generator as rondo-server is.
// It ends when this object does, and also if this process dies: it watches a pipe that closes then.
class EchoProcess {
 public:
  // Starts the rondo-echo that stands beside this program, with `arguments`, and waits until it listens. It is in a
  // process group of its own, so that Ctrl-C ends the generator first.
  // NOT_FOUND: no such program. UNAVAILABLE: it did not start to listen.
  static absl::StatusOr<std::unique_ptr<EchoProcess>> Start(const std::vector<std::string>& arguments);
  ~EchoProcess();

  EchoProcess(const EchoProcess&) = delete;
  EchoProcess& operator=(const EchoProcess&) = delete;

  // HOST:PORT
  const std::string& address() const { return address_; }

 private:
  EchoProcess(pid_t pid, int lifeline) : pid_(pid), lifeline_(lifeline) {}

  const pid_t pid_;
  const int lifeline_;  // its standard input: it exits when this closes
  std::string address_;
};

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_ECHO_PROCESS_H_
