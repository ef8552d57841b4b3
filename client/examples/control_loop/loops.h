#ifndef RONDO_CLIENT_EXAMPLES_CONTROL_LOOP_LOOPS_H_
#define RONDO_CLIENT_EXAMPLES_CONTROL_LOOP_LOOPS_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "client/client.h"
#include "client/examples/control_loop/cart_pole.h"

namespace rondo::control_loop {

// What became of all loops.
struct Outcome {
  std::vector<double> milliseconds;  // of each step, from what is seen to the force
  int late = 0;                      // steps whose force came when the next one was due
  int falls = 0;
  double angles = 0;  // their sum, without signs
  absl::Status status;
};

// Carts that are balanced side by side. Each is seen every 10 ms, and pushed as soon as the force has come. They are
// seen one after the other, as carts are that know nothing of each other, and share a stream to the server: one thread
// asks when a cart is due, another takes the answers, which come in the order of the questions.
class Loops {
 public:
  Loops(PredictStream stream, int carts, int steps);

  // Takes all steps. Once.
  Outcome Run();

 private:
  using Clock = std::chrono::steady_clock;

  Clock::time_point DueAt(size_t question) const;
  void AskAll();
  // Waits until the cart has been pushed since it was asked about last. False: the loops have ended.
  bool AwaitPush(size_t question);
  // False: the loops have ended.
  bool TakeAnswer(size_t question);
  // REQUIRES: the mutex is held.
  void Push(size_t question, double force, Clock::time_point now);

  PredictStream stream_;
  const size_t questions_;  // of all carts; number q is about cart q % carts
  Clock::time_point begin_;
  Outcome outcome_;  // the reader's

  std::mutex mutex_;
  std::condition_variable moved_on_;
  // Guarded by the mutex, but for a cart that has been pushed: the writer looks at it, until it asks about it.
  std::vector<CartPole> carts_;
  std::vector<Clock::time_point> asked_;  // when each was asked about last
  size_t answers_ = 0;
  bool ended_ = false;
};

}  // namespace rondo::control_loop

#endif  // RONDO_CLIENT_EXAMPLES_CONTROL_LOOP_LOOPS_H_
