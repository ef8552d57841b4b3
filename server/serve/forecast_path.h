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

  // `scratch`: a stateless lease that holds the state to start from. `given`: the output before the first timestep,
  // [output_size], or empty. `seed`: sample from a gaussian head; absent: feed back its means, or medians.
  ForecastPath(ForecastPlan plan, SessionLease scratch, absl::Span<const float> given, std::optional<uint64_t> seed,
               Owner* owner);

  // Runs until OnPathDone. RESOURCE_EXHAUSTED: the loop is full, and OnPathDone will not come. With no timestep to run
  // it is done at once.
  absl::Status Start(StepEngine* engine, Flow* flow, absl::Time now, absl::Time deadline);
  void Cancel() { run_.cancelled = true; }

  // After OnPathDone. The forecast as the model gives it, [horizon][output_size].
  absl::Span<const float> Outputs(size_t horizon) const;
  // One number for each output of each row: sampled, or the mean, median or value. [horizon][model horizon * outputs].
  absl::Span<const float> Points(size_t horizon) const;

 private:
  void OnStep(SequenceRun* run, size_t step) override;
  void OnFinished(SequenceRun* run, const absl::Status& status) override;

  // Takes or samples the points of the newest output row.
  void AddPoints(absl::Span<const float> output);

  ForecastPlan plan_;
  SessionLease scratch_;
  Owner* const owner_;
  const bool sampling_;
  std::mt19937_64 random_;
  std::normal_distribution<float> normal_;
  size_t given_rows_ = 0;       // outputs before the first timestep: 0 or 1
  std::vector<float> outputs_;  // [given_rows + timesteps][output_size]
  std::vector<float> points_;   // of the rows so far, from the last of the history on
  SequenceRun run_;
};

// Judges what `request` wants of its paths, of `timesteps` each. INVALID_ARGUMENT: a number of paths or a quantile that
// is none, a reply above `max_reply_bytes`, or paths that take too much memory. FAILED_PRECONDITION: `model` cannot
// sample.
absl::Status CheckPaths(const ForecastView& request, const Model& model, size_t timesteps, size_t max_reply_bytes);

// For each of `columns` points the quantiles over the paths (linear between the order statistics, as numpy.quantile):
// [columns][quantiles]. `paths`: each path's points, all of one size.
std::vector<float> PathQuantiles(absl::Span<const absl::Span<const float>> paths, absl::Span<const double> quantiles);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_FORECAST_PATH_H_
