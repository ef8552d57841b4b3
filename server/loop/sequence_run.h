#ifndef RONDO_SERVER_LOOP_SEQUENCE_RUN_H_
#define RONDO_SERVER_LOOP_SEQUENCE_RUN_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/intrusive_fifo.h"
#include "model/network.h"
#include "server/metrics/probes.h"

namespace rondo {

class Flow;
struct SequenceRun;
struct Strand;

// Hears of a run's progress, on the loop's thread.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // Timestep `step` is done and is not the last one; its output is in place. May write the inputs of later timesteps,
  // and may lower `timesteps`; to `step` + 1 only if working_state is final_state. Only if observe_steps.
  virtual void OnStep(SequenceRun* run, size_t step) = 0;
  // Called exactly once for a run that was admitted, after all else. OK: all outputs and final_state are written. Any
  // other status: final_state was never touched. DEADLINE_EXCEEDED, CANCELLED, or OUT_OF_RANGE (not finite).
  virtual void OnFinished(SequenceRun* run, const absl::Status& status) = 0;
};

// One sequence on its way through the network, as plain spans, whoever asked for it. It borrows everything it points to
// until OnFinished. Steps before the last write working_state, so that final_state is written once, by the last step.
struct SequenceRun : FifoLink<SequenceRun> {
  const Network* network = nullptr;
  LoopProbe* probe = nullptr;
  RunObserver* observer = nullptr;
  Flow* flow = nullptr;  // whose turns it takes

  size_t timesteps = 0;            // >= 1
  size_t timesteps_after = 0;      // that other runs take once this one has ended; it ends soon only if they do
  const float* inputs = nullptr;   // [timesteps][input_size], raw units
  const int64_t* times = nullptr;  // [timesteps], unix seconds; null unless the spec needs_times()
  float* outputs = nullptr;        // [timesteps][output_size], or [1][output_size] with last_only
  bool last_only = false;          // only the last timestep's output is wanted
  bool observe_steps = false;
  // inputs and outputs have room for one timestep: OnStep takes its output and writes the input of the next one.
  bool one_row = false;
  const float* first_state = nullptr;
  float* working_state = nullptr;  // may be null if timesteps == 1
  float* final_state = nullptr;    // may be first_state or working_state

  absl::Time admitted;
  absl::Time deadline = absl::InfiniteFuture();
  // Takes the time of the first kernel call, if that is earlier than what is there; null: nobody wants to know.
  absl::Time* first_step_at = nullptr;
  bool cancelled = false;  // set on the loop's thread: finish soon, as CANCELLED

  // The loop alone reads and writes these.
  size_t next_step = 0;
  Strand* strand = nullptr;
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_SEQUENCE_RUN_H_
