#ifndef RONDO_TESTS_INTEGRATION_STORE_REDIS_SERVER_H_
#define RONDO_TESTS_INTEGRATION_STORE_REDIS_SERVER_H_

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/store/redis_address.h"
#include "server/store/redis_connection.h"
#include "tests/integration/child_process.h"
#include "tests/temporary_folder.h"

namespace rondo {

// A real redis-server (Debian package redis-server) of one test, on a free port of the loopback, in a folder of its
// own.
//
// Threads: one.
class RedisServer {
 public:
  // `options`: more of its command line, e.g. {"--requirepass", "secret"}. It writes its log before it answers, so the
  // log outlives Kill; it does not sync it, so a slow disk does not make it miss a store's limits.
  explicit RedisServer(std::vector<std::string> options = {});

  const RedisAddress& address() const { return address_; }
  std::string name() const { return address_.Shown(); }  // for OpenSessionStore

  // What a client of its own is answered. The test fails on an error reply.
  std::string Ask(std::initializer_list<absl::string_view> command);
  void Signal(int signal) { process_->Signal(signal); }
  // SIGKILL.
  void Kill();
  // After Kill: with what is on its disk, on the same port.
  void Start();

 private:
  const TemporaryFolder folder_;
  const std::vector<std::string> options_;
  RedisAddress address_;
  std::unique_ptr<ChildProcess> process_;
  std::unique_ptr<RedisConnection> client_;
};

// A port of the loopback that was free when this was called.
int FreePort();

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_STORE_REDIS_SERVER_H_
