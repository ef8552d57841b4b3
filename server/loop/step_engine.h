#ifndef RONDO_SERVER_LOOP_STEP_ENGINE_H_
#define RONDO_SERVER_LOOP_STEP_ENGINE_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/loop/active_set.h"
#include "server/loop/compute_helpers.h"
#include "server/loop/sequence_run.h"

namespace rondo {

// Runs the active set, one batch of one timestep at a time.
//
// Ownership: borrows the runs and the helpers. Threads: one (the helpers are its affair).
class StepEngine {
 public:
  StepEngine(const ActiveSet::Options& options, ComputeHelpers* helpers) : active_set_(options), helpers_(helpers) {}

  // Takes the run until its observer's OnFinished. RESOURCE_EXHAUSTED: the active set is full; the run was not taken,
  // and its observer hears nothing. Throws std::bad_alloc: as if it had not been called.
  absl::Status Admit(SequenceRun* run) { return active_set_.Admit(run); }

  // Runs one batch, if any sequence waits. Observers are called from here, and may call Admit.
  void RunBatch();
  // Runs a batch, and further ones for about kMostOfATurn as long as hardly anything that comes could share them: a
  // batch's worth of runs is here already, or one run alone.
  void RunTurn();

  const ActiveSet& active_set() const { return active_set_; }
  bool idle() const { return active_set_.empty(); }

 private:
  // Looking for messages costs a tenth of a batch of 64 rows of 64 units: the system is asked twice. For 256 sessions a
  // message it was asked 12 times, and is asked 3 times (strace). A message waits longer for a batch of a big network.
  static constexpr absl::Duration kMostOfATurn = absl::Microseconds(200);

  bool NextBatchIsFullOrAlone() const;
  void ObserveQueue(absl::Time start) const;
  // Rows that one turn takes: more than one kernel call's where the helpers will share them.
  size_t RowsPerTurn(const Network& network) const;
  // How many parts a step over `rows` rows is worth splitting into.
  size_t PartsFor(const Network& network, size_t rows) const;
  void Compute(const Network& network);
  // Runs the batch to its end: a network that takes whole sequences has no steps.
  void RunWhole(const Network& network, absl::Time start, size_t most);
  // How many of the run's next timesteps are run in this turn: more than one if it is alone, and nobody hears of each.
  size_t TimestepsFor(const SequenceRun& run) const;
  void RunTimesteps(SequenceRun* run, size_t count, absl::Time start, size_t most);
  // `count` timesteps of the run are done.
  void Advance(SequenceRun* run, size_t count, bool finite);
  void Drop(SequenceRun* run, absl::Time now);
  void Finish(SequenceRun* run, const absl::Status& status);

  ActiveSet active_set_;
  ComputeHelpers* const helpers_;
  std::vector<SequenceRun*> batch_;  // kept to reuse their memory
  std::vector<SequenceRun*> dropped_;
  std::vector<WholeSequence> sequences_;
  std::vector<StepRow> rows_;  // rows_[i] is the step of batch_[i]
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_STEP_ENGINE_H_
