#ifndef RONDO_SERVER_LOOP_ACTIVE_SET_H_
#define RONDO_SERVER_LOOP_ACTIVE_SET_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/intrusive_fifo.h"
#include "server/loop/sequence_run.h"

namespace rondo {

// Decides who runs next. It is pure policy: it has no lock, thread or clock.
//
// Active sequences take turns, one timestep each, in the order they came: a long sequence delays the others by no more
// than its own step. A batch holds one network; networks take turns too. Sequences past max_active wait in a backlog,
// first come first served, and past max_queued are refused.
//
// Ownership: borrows the runs. Threads: one.
class ActiveSet {
 public:
  struct Options {
    size_t max_active = 4096;   // sequences that take turns, >= 1
    size_t max_queued = 65536;  // sequences that wait for such a place; 0: none may wait
  };

  explicit ActiveSet(const Options& options) : options_(options) {}

  // RESOURCE_EXHAUSTED: the backlog is full; `run` was not taken.
  absl::Status Admit(SequenceRun* run);

  // The network whose turn it is; null: nothing waits.
  const Network* next_network() const;

  // Takes up to `max_rows` runs of next_network() into *batch. Expired and cancelled ones come out in *dropped instead.
  // Replaces the content of both. Each run taken is given back by Return, or is done with by Leave.
  void TakeBatch(absl::Time now, size_t max_rows, std::vector<SequenceRun*>* batch, std::vector<SequenceRun*>* dropped);
  // The run has more timesteps: it goes to the end of its network's line.
  void Return(SequenceRun* run);
  // Ends one run that was taken: its place goes to the first run of the backlog.
  void Leave();

  bool empty() const { return active_ == 0; }
  size_t active() const { return active_; }
  size_t queued() const { return backlog_.size(); }

 private:
  struct Lane {
    const Network* network;
    IntrusiveFifo<SequenceRun> runs;
  };

  void Activate(SequenceRun* run);
  Lane& LaneOf(const Network* network);

  const Options options_;
  std::vector<Lane> lanes_;  // the networks with runs in line; the first has the turn
  size_t active_ = 0;        // in a lane, or taken
  IntrusiveFifo<SequenceRun> backlog_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_ACTIVE_SET_H_
