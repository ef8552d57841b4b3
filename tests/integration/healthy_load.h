#ifndef RONDO_TESTS_INTEGRATION_HEALTHY_LOAD_H_
#define RONDO_TESTS_INTEGRATION_HEALTHY_LOAD_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "model/network.h"
#include "tests/integration/test_server.h"

namespace rondo {

// Clients that nothing happens to, each a thread with a connection, a stream and some sessions that it steps without
// pause. The same network is stepped beside them: a reply that is not bit for bit its answer fails the test.
//
// Threads: one.
class HealthyLoad {
 public:
  static constexpr size_t kSessionsPerClient = 4;

  HealthyLoad(const TestServer* server, const Network* network, const std::string& model, size_t clients);
  ~HealthyLoad();  // stops

  size_t sessions() const { return threads_.size() * kSessionsPerClient; }
  // Returns when no message of these clients is under way; their streams stay open.
  void Pause();
  void Resume();

  // Any thread. Messages answered so far, and a clock for those who want to do something "a little later".
  int64_t messages() const { return messages_.load(); }
  void WaitForMessages(int64_t more) const;

 private:
  void Run(size_t client);
  // False: it is time to stop.
  bool WaitWhilePaused();

  const TestServer* const server_;
  const Network* const network_;
  const std::string model_;
  std::atomic<int64_t> messages_{0};
  std::atomic<bool> failed_{false};

  Mutex mutex_;
  CondVar changed_;
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;

  std::vector<std::thread> threads_;  // last: they use everything above
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_HEALTHY_LOAD_H_
