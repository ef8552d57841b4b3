#ifndef RONDO_SERVER_SERVE_FEEDBACK_PATH_H_
#define RONDO_SERVER_SERVE_FEEDBACK_PATH_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/loop/flow.h"
#include "server/loop/sequence_run.h"
#include "server/loop/step_engine.h"
#include "server/session/session_lease.h"

namespace rondo {

// One way that a series may go on: a sequence that makes its own inputs from its outputs, one row at a time. A subclass
// says what is fed back.
//
// Threads: the loop's own.
class FeedbackPath : private RunObserver {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // Called exactly once after a Start that was OK.
    virtual void OnPathDone(const absl::Status& status) = 0;
  };

  // `lease`: of the state to start from. A stateless one is written over; that of a session gets the new state in
  // next_state(), for a commit. Throws std::bad_alloc.
  FeedbackPath(SessionLease lease, size_t timesteps, Owner* owner);

  // Runs until OnPathDone. RESOURCE_EXHAUSTED: the loop is full, and OnPathDone will not come. With no timestep to run
  // the path is done at once. Throws std::bad_alloc: as if it had not been called.
  absl::Status Start(StepEngine* engine, Flow* flow, absl::Time now, absl::Time deadline);
  void Cancel() { run_.cancelled = true; }
  // See SequenceRun::first_step_at. Before Start.
  void TimeFirstStep(absl::Time* at) { run_.first_step_at = at; }

  SessionLease* lease() { return &lease_; }
  // The timesteps that have run, once the path is done.
  size_t timesteps() const { return run_.timesteps; }
  // The newest one, [output_size].
  absl::Span<const float> output() const { return output_; }

 protected:
  // Takes output(), that of `timestep`. If it is not the last timestep, input() is to become the input of the next one.
  virtual void TakeOutput(size_t timestep, bool last) = 0;

  const ModelSpec& spec() const { return lease_.model()->spec(); }
  float* input() { return input_.data(); }
  void SetTimes(const int64_t* times) { run_.times = times; }
  // Changes how many timesteps the path has. After Start: no fewer than have run, and a session's path runs one more.
  void SetTimesteps(size_t timesteps) { run_.timesteps = timesteps; }

 private:
  void OnStep(SequenceRun*, size_t step) override { TakeOutput(step, /*last=*/false); }
  void OnFinished(SequenceRun* run, const absl::Status& status) override;

  SessionLease lease_;
  Owner* const owner_;
  std::vector<float> input_;   // [input_size], of the next timestep
  std::vector<float> output_;  // [output_size], of the newest timestep
  SequenceRun run_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_FEEDBACK_PATH_H_
