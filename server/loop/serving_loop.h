#ifndef RONDO_SERVER_LOOP_SERVING_LOOP_H_
#define RONDO_SERVER_LOOP_SERVING_LOOP_H_

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "server/loop/event.h"
#include "server/loop/inbox.h"
#include "server/loop/step_engine.h"
#include "server/loop/turn_clock.h"
#include "server/metrics/probes.h"

namespace rondo {

// A thread with its own gRPC completion queue. Each of its turns drains the events that are ready and runs a batch. A
// message stays on this thread from the socket to the reply; a batch forms of all that arrived while the batch before
// it was computed.
//
// Ownership: owns its queue and thread; borrows events, runs and probes.
// Threads:   Post may be called from any thread; all else, and every Event::Proceed, runs on the loop's own.
class ServingLoop : public Poster {
 public:
  // `probe`: of this loop; `loops`: of all.
  ServingLoop(std::unique_ptr<grpc::ServerCompletionQueue> queue, const ActiveSet::Options& options,
              ComputeHelpers* helpers, ServingLoopProbe* probe, LoopsProbe* loops);
  // REQUIRES: the server that uses the queue has been shut down. Waits for every operation to come back.
  ~ServingLoop() override;

  // Starts the thread. Operations may be put on queue() before.
  void Start();

  void Post(Event* event) override;

  // A number that grows with every turn and with every wait: an operation that comes back under the number it was
  // started under needed nothing that was not there already. On the loop's thread.
  uint64_t turn() const { return turn_; }
  // How often it has found that it had read all that had come. What was there to be read when this was asked has been
  // read once the number is greater, however many turns that takes. On the loop's thread.
  uint64_t times_read_all() const { return times_read_all_; }

  // Its time, as of this turn. On the loop's thread.
  const TurnClock& clock() const { return clock_; }

  grpc::ServerCompletionQueue* queue() { return queue_.get(); }
  StepEngine& engine() { return engine_; }

 private:
  // The event of the alarm that ends a wait; the inbox is looked into on every turn.
  class Waker : public Event {
   public:
    // False: the alarm is on its way already.
    bool Claim() { return !under_way_.exchange(true); }
    void Proceed(bool) override { under_way_ = false; }

   private:
    std::atomic<bool> under_way_{false};
  };

  void Run();
  // Lets every ready event proceed; waits for the first one if nothing else is to do. False: the queue has been shut
  // down and is empty.
  bool Drain();
  // Waits for the first event, and lets it proceed. False: the queue has been shut down and is empty.
  bool AwaitEvent();
  void ShowSequences();

  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  StepEngine engine_;
  ServingLoopProbe* const probe_;
  TurnClock clock_;
  uint64_t turn_ = 0;
  uint64_t times_read_all_ = 0;
  Inbox inbox_;
  Waker waker_;
  grpc::Alarm alarm_;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_SERVING_LOOP_H_
