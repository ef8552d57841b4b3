#ifndef RONDO_SERVER_LOOP_ACTIVE_SET_H_
#define RONDO_SERVER_LOOP_ACTIVE_SET_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/intrusive_fifo.h"
#include "server/loop/flow.h"
#include "server/loop/sequence_run.h"

namespace rondo {

// The runs of one flow through one network. Those that have begun go on before others begin, so that the oldest message
// of a stream is answered first.
struct Strand : FifoLink<Strand> {
  const Network* network = nullptr;
  Flow* flow = nullptr;
  ClientTurns* turns = nullptr;
  Strand* next_of_flow = nullptr;
  IntrusiveFifo<SequenceRun> begun;
  IntrusiveFifo<SequenceRun> waiting;
  size_t runs = 0;       // those above and those that were taken
  bool in_line = false;  // for its next turn
};

// Strands of one client that stand in line. The client takes its turns among other clients, they take theirs within it.
struct ClientLine : FifoLink<ClientLine> {
  IntrusiveFifo<Strand> strands;
  bool in_line = false;  // for its next turn
};

// The strands of one client through one network.
struct ClientTurns : FifoLink<ClientTurns> {
  const Network* network = nullptr;
  ClientFlows* client = nullptr;
  ClientTurns* next_of_client = nullptr;
  ClientLine soon;  // their next run has few timesteps left
  ClientLine bulk;
  size_t strands = 0;  // those in line and all others
};

// Elements that are used over and over: one is made only when more are in use at once than ever before.
template <typename T>
class Spares {
 public:
  // Throws std::bad_alloc: nothing has changed.
  T* Take() {
    if (unused_.empty()) {
      made_.push_back(std::make_unique<T>());
      return made_.back().get();
    }
    return unused_.Pop();
  }
  void GiveBack(T* element) { unused_.Push(element); }

 private:
  std::vector<std::unique_ptr<T>> made_;
  IntrusiveFifo<T> unused_;
};

// Decides who runs next. It is pure policy: it has no lock, thread or clock.
//
// A batch holds one network; networks take turns. In a batch clients take turns, and in a client's turns its flows, so
// that it has the rows that turns of one row each would give it, round and round until it is full: a flow with a
// thousand sequences delays a flow with one by no more than one row, and a client with a thousand flows delays a client
// with one by no more than one row. A flow whose
// next run ends within kSoonTimesteps, with all that follow it, goes before one whose run takes longer. The long ones
// fill what is left, and at least one row in kBulkShare, so that they end too: a flow waits for a bounded number of
// batches, whatever the others do.
//
// Cost: O(1) a row. It allocates only when more flows have runs at once than ever before.
// Ownership: borrows the runs and their flows. Threads: one.
class ActiveSet {
 public:
  struct Options {
    size_t max_active = 4096;   // >= 1
    size_t max_queued = 65536;  // sequences that are taken besides; 0: none
  };
  static constexpr size_t kSoonTimesteps = 4;
  static constexpr size_t kBulkShare = 8;

  explicit ActiveSet(const Options& options) : capacity_(options.max_active + options.max_queued) {}

  // Takes a run; one without a flow shares the turns of all such runs. RESOURCE_EXHAUSTED: as many are here as may be;
  // `run` was not taken. Throws std::bad_alloc: nothing has changed.
  absl::Status Admit(SequenceRun* run);

  // The network whose turn it is; null: nothing waits.
  const Network* next_network() const;

  // Takes up to `max_rows` runs of next_network() into *batch. Expired and cancelled ones come out in *dropped instead.
  // Replaces the content of both. Each run taken is given back by Return, or is done with by Leave.
  void TakeBatch(absl::Time now, size_t max_rows, std::vector<SequenceRun*>* batch, std::vector<SequenceRun*>* dropped);
  // The run, which was taken, has more timesteps.
  void Return(SequenceRun* run);
  // Ends a run that was taken. Its flow may be gone after the last one.
  void Leave(SequenceRun* run);

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }        // those in line and those that were taken
  size_t waiting() const { return waiting_; }  // those of them that have not begun

 private:
  struct Lane {
    const Network* network;
    IntrusiveFifo<ClientLine> soon;
    IntrusiveFifo<ClientLine> bulk;
    size_t owed = 0;  // rows that waiting bulk has a claim to, times kBulkShare
  };
  struct Taking {
    absl::Time now;
    std::vector<SequenceRun*>* batch;
    std::vector<SequenceRun*>* dropped;
  };

  Lane& LaneOf(const Network* network);
  Strand* StrandOf(Flow* flow, const Network* network);
  ClientTurns* TurnsOf(ClientFlows* client, const Network* network);
  // Puts the strand in line for its next turn, unless it stands there or has no run.
  static void StandInLine(Strand* strand, Lane* lane);
  static void StandInLine(ClientLine* line, IntrusiveFifo<ClientLine>* lines);
  // Lets the clients of `lines` take turns until the batch has `max_rows`, then the strands of a client's line, and a
  // strand's runs. Where all that stand in line may have as many rows, each takes them at once: its runs stay together
  // in the batch, and it stands in line again once, not for each row.
  void TakeFrom(IntrusiveFifo<ClientLine>* lines, Lane* lane, size_t max_rows, const Taking& taking);
  void TakeFrom(ClientLine* line, Lane* lane, size_t max_rows, const Taking& taking);
  void TakeFrom(Strand* strand, bool ends_soon, size_t max_rows, const Taking& taking);

  const size_t capacity_;
  std::vector<Lane> lanes_;  // the networks with runs in line; the first has the turn
  size_t size_ = 0;
  size_t waiting_ = 0;
  Flow unnamed_;        // of the runs without a flow
  ClientFlows nobody_;  // of the flows without a client
  Spares<Strand> strands_;
  Spares<ClientTurns> turns_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_ACTIVE_SET_H_
