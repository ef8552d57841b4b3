#ifndef RONDO_SERVER_SERVE_FORECAST_PATH_H_
#define RONDO_SERVER_SERVE_FORECAST_PATH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/loop/flow.h"
#include "server/loop/sequence_run.h"
#include "server/loop/step_engine.h"
#include "server/serve/forecast_plan.h"
#include "server/serve/forecast_view.h"
#include "server/serve/work_budget.h"
#include "server/session/session_lease.h"

namespace rondo {

// One way the future may go: a stateless sequence that makes its own inputs from its outputs.
//
// Threads: the loop's own.
class ForecastPath : private RunObserver {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // Exactly once after a Start that was OK.
    virtual void OnPathDone(const absl::Status& status) = 0;
  };

  // `plan`: of all paths; borrowed. `scratch`: a stateless lease that holds the state to start from. `given`: the
  // output before the first timestep, [output_size], or empty. `seed`: sample from a gaussian head; absent: feed back
  // its means, or medians.
  ForecastPath(const ForecastPlan* plan, SessionLease scratch, absl::Span<const float> given,
               std::optional<uint64_t> seed, Owner* owner);

  // Runs until OnPathDone. RESOURCE_EXHAUSTED: the loop is full, and OnPathDone will not come. With no timestep to run
  // it is done at once.
  absl::Status Start(StepEngine* engine, Flow* flow, absl::Time now, absl::Time deadline);
  void Cancel() { run_.cancelled = true; }

  // After OnPathDone. The forecast as the model gives it, [horizon][output_size]; of a path that samples, one number
  // for each output of each row, [horizon][model horizon * outputs].
  absl::Span<const float> values() const { return values_; }

 private:
  void OnStep(SequenceRun* run, size_t step) override;
  void OnFinished(SequenceRun* run, const absl::Status& status) override;

  // Takes the newest output row: its points, and its values.
  void TakeOutput(absl::Span<const float> output);

  const ForecastPlan* const plan_;
  SessionLease scratch_;
  Owner* const owner_;
  const bool sampling_;
  std::mt19937_64 random_;
  std::normal_distribution<float> normal_;
  std::vector<float> input_;   // [input_size], of the next timestep
  std::vector<float> output_;  // [output_size], of the newest timestep
  std::vector<float> points_;  // one number for each output of that row: sampled, or the mean, median or value
  std::vector<float> values_;
  SequenceRun run_;
};

// Judges what `request` wants of its paths. INVALID_ARGUMENT: a number of paths or a quantile that
// is none, or a reply above `max_reply_bytes`. FAILED_PRECONDITION: `model` cannot sample.
absl::Status CheckPaths(const ForecastView& request, const Model& model, size_t max_reply_bytes);

// What `request` costs with paths of `timesteps` each: known before any of it is allocated.
Work WorkOfPaths(const ForecastView& request, const ModelSpec& spec, size_t timesteps);

// Appends for each of the points [begin, end) the quantiles over the paths (linear between the order statistics, as
// numpy.quantile), moved by ModelSpec::band_factors: [end - begin][quantiles]. `paths`: each path's points, all of one
// size, [horizon][outputs].
void AppendQuantiles(absl::Span<const absl::Span<const float>> paths, absl::Span<const double> quantiles,
                     const ModelSpec& spec, size_t begin, size_t end, std::vector<float>* result);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_FORECAST_PATH_H_
