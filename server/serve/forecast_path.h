#ifndef RONDO_SERVER_SERVE_FORECAST_PATH_H_
#define RONDO_SERVER_SERVE_FORECAST_PATH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/serve/feedback_path.h"
#include "server/serve/forecast_plan.h"
#include "server/serve/forecast_view.h"
#include "server/serve/work_budget.h"
#include "server/session/session_lease.h"

namespace rondo {

// One way the future may go: a stateless sequence that makes its own inputs from its outputs.
//
// Threads: the loop's own.
class ForecastPath : public FeedbackPath {
 public:
  // `plan`: of all paths; borrowed. `scratch`: a stateless lease that holds the state to start from. `given`: the
  // output before the first timestep, [output_size], or empty. `seed`: sample from a gaussian head; absent: feed back
  // its means, or medians.
  ForecastPath(const ForecastPlan* plan, SessionLease scratch, absl::Span<const float> given,
               std::optional<uint64_t> seed, Owner* owner);

  // The forecast as the model gives it, [horizon][output_size]; of a path that samples, one number for each output of
  // each row, [horizon][model horizon * outputs]. REQUIRES: OnPathDone has come.
  absl::Span<const float> values() const { return values_; }

 private:
  void TakeOutput(size_t timestep, bool last) override;
  // Takes an output row of the forecast: its points, and its values.
  void TakeRow(absl::Span<const float> output);

  const ForecastPlan* const plan_;
  const bool sampling_;
  std::mt19937_64 random_;
  std::normal_distribution<float> normal_;
  std::vector<float> points_;  // one number for each output of the newest row: sampled, or the mean, median or value
  std::vector<float> values_;
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
