#ifndef RONDO_SERVER_SERVE_FORECAST_PLAN_H_
#define RONDO_SERVER_SERVE_FORECAST_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/model.h"
#include "server/serve/forecast_view.h"

namespace rondo {

// The timesteps of one forecast: first those of the history, then horizon - 1 that are made as they are reached, from
// what the caller knows and what the model feeds back. Pure: no lock, thread or clock.
class ForecastPlan {
 public:
  // INVALID_ARGUMENT: sizes, values, times. FAILED_PRECONDITION: an input of the predicted steps is neither fed back
  // nor known, or their times are neither given nor follow from the model's step_seconds. `last_time`: of the session's
  // last timestep, if it had one.
  static absl::StatusOr<ForecastPlan> Make(const ForecastView& request, const Model& model,
                                           std::optional<int64_t> last_time);

  // [timesteps][input_size] without what is fed back; may be zero timesteps, for the one-step forecast of a session.
  const std::vector<float>& inputs() const { return inputs_; }
  // [timesteps], or empty if the model needs none.
  const std::vector<int64_t>& times() const { return times_; }
  size_t timesteps() const { return timesteps_; }
  // Timesteps whose outputs come before the forecast's first row.
  size_t history_timesteps() const { return history_timesteps_; }

  size_t horizon() const { return timesteps_ - history_timesteps_ + 1; }

  // Writes the inputs of `timestep` into `row`, [input_size]. `points`: what the step before it feeds back, one number
  // an output in raw units; empty: nothing.
  void WriteInputs(size_t timestep, absl::Span<const float> points, float* row) const;

 private:
  absl::Status PlanInputs(const ForecastView& request, const Model& model);
  absl::Status PlanTimes(const ForecastView& request, const Model& model, std::optional<int64_t> last_time);

  size_t input_size_ = 0;
  size_t timesteps_ = 0;
  size_t history_timesteps_ = 0;
  std::vector<std::pair<size_t, size_t>> feedback_;  // output column, input column
  std::vector<float> inputs_;
  std::vector<int64_t> times_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_FORECAST_PLAN_H_
