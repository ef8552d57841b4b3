#ifndef RONDO_SERVER_SERVE_BEAM_SEARCH_H_
#define RONDO_SERVER_SERVE_BEAM_SEARCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/loop/sequence_run.h"
#include "server/loop/step_engine.h"
#include "server/serve/beams.h"
#include "server/serve/feedback_path.h"
#include "server/session/session_table.h"

namespace rondo {

// The sequences of a beam search as rows of the batches: each step of one that grows is a run of one timestep, from the
// state of the sequence that it goes on from. The next step begins when all of them have run.
//
// Threads: the loop's own.
class BeamSearch : private RunObserver {
 public:
  // Bytes that a search takes over states and outputs of such sizes, about.
  static size_t BytesOf(const BeamRules& rules, const ModelSpec& spec, size_t prompt);

  // `state`: where the prompt begins, [state_size]. `given`: the output before the first token, needed if there is no
  // prompt. Throws std::bad_alloc.
  BeamSearch(const ServedModelPtr& model, SessionTable* sessions, const float* state, absl::Span<const int32_t> prompt,
             absl::Span<const float> given, const BeamRules& rules, FeedbackPath::Owner* owner);

  // Runs until OnPathDone. RESOURCE_EXHAUSTED: the loop is full, and OnPathDone will not come. Throws std::bad_alloc:
  // as if it had not been called.
  absl::Status Start(StepEngine* engine, Flow* flow, absl::Time deadline);
  void Cancel();

  // What was found, the best sequence first. Called after OnPathDone, if it is OK.
  absl::Span<const FoundSequence> found() const { return beams_.found(); }

 private:
  void OnStep(SequenceRun*, size_t) override {}
  void OnFinished(SequenceRun* run, const absl::Status& status) override;
  void PrepareRun(size_t i);
  absl::Status Admit(SequenceRun* run);
  // All that ran have finished: chooses, and lets the next step run or ends.
  void Advance();
  void Choose();
  void RunLive();

  FeedbackPath::Owner* const owner_;
  const ServedModelPtr model_;
  Beams beams_;
  std::vector<float> prompt_;
  std::vector<float> outputs_;                       // [width][output_size]
  std::vector<absl::Span<const float>> rows_;        // of outputs_, of those that have run
  std::array<std::vector<SessionLease>, 2> states_;  // [width] each: what a step reads, and what it writes
  size_t written_ = 0;                               // the half that the last step wrote
  std::vector<float> inputs_;                        // [width]
  std::vector<SequenceRun> runs_;                    // [width]
  size_t unfinished_ = 0;
  bool cancelled_ = false;
  absl::Status status_;  // the first failure of this step
  StepEngine* engine_ = nullptr;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_BEAM_SEARCH_H_
