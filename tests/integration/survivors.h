#ifndef RONDO_TESTS_INTEGRATION_SURVIVORS_H_
#define RONDO_TESTS_INTEGRATION_SURVIVORS_H_

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/client.h"
#include "tests/integration/child_process.h"
#include "tests/integration/known_series.h"
#include "tests/integration/test_server.h"
#include "tests/temporary_folder.h"

namespace rondo {

// rondo-server as a process, with the model "lstm".
class ServerChild {
 public:
  // `listen`: as the flag; ASSERT started.
  ServerChild(const std::string& model_path, const std::string& listen, std::vector<std::string> flags);

  const std::string& address() const { return address_; }
  ChildProcess& process() { return *process_; }

 private:
  std::unique_ptr<ChildProcess> process_;
  std::string address_;
};

// Sessions "s0", "s1", ... of "lstm", driven by threads while servers come and go, and what an undisturbed server would
// have answered them: a reply that is not bit for bit that fails the test.
class SurvivorsTest : public ::testing::Test {
 protected:
  static constexpr int64_t kTimesteps = 1000;

  explicit SurvivorsTest(size_t sessions);
  ~SurvivorsTest() override { Stop(); }

  std::string ModelPath() const { return folder_.path() + "/lstm.safetensors"; }
  std::string StorePath() const { return folder_.path() + "/store"; }
  static std::string IdOf(size_t series) { return "s" + std::to_string(series); }

  // `drive` steps the series [begin, end) until stopping(); one call a thread.
  void Start(size_t threads, const std::function<void(size_t begin, size_t end)>& drive);
  // Ends the threads and waits for them.
  void Stop();
  bool stopping() const { return stopping_.load(); }
  // A client cannot go on: no use in waiting for it.
  void Fail() { stopping_ = true; }

  // The answer to timestep `position` of a series has come.
  void Answered(size_t series, int64_t position, const std::vector<float>& values);
  // Until so many more have been answered; fails the test after 60 s.
  void WaitForAnswers(int64_t more);
  int64_t position(size_t series) const { return positions_[series]; }  // after Stop

  const TemporaryFolder folder_;
  const ModelFile model_ = MakeTestModel(Cell::kLstm, 3, 16);
  const KnownSeries series_;

 private:
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> answers_{0};
  std::vector<int64_t> positions_;    // each written by its thread
  std::vector<std::thread> threads_;  // last: they use everything above
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_SURVIVORS_H_
