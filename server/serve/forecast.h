#ifndef RONDO_SERVER_SERVE_FORECAST_H_
#define RONDO_SERVER_SERVE_FORECAST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/serve/feedback_request.h"
#include "server/serve/forecast_path.h"
#include "server/serve/forecast_plan.h"
#include "server/serve/forecast_view.h"
#include "server/session/session_lease.h"

namespace rondo {

// One forecast. It copies the session's state and lets the session go, so that live steps never wait for it; then its
// paths are stateless sequences.
//
// Ownership: borrows the context and the owner.
// Threads:   the loop's own.
class Forecast : public FeedbackRequest, private FeedbackPath::Owner {
 public:
  Forecast(const ServeContext* context, MessageOwner* owner) : FeedbackRequest(context, owner, Method::kForecast) {}

  // Starts the forecast; called once at most. The owner hears OnMessageDone once, at once or later; what `request`
  // points to stays until then. `now`: when it arrived.
  void Start(const ForecastView& request, absl::Time now, absl::Time deadline);

  // [horizon][output_size]; with paths, one number a quantile for each output of each row. REQUIRES: OnMessageDone has
  // come, and the status is OK.
  absl::Span<const float> values() const { return values_; }
  // The session's position, unmoved; the timesteps of the history without a session.
  int64_t position() const { return position_; }
  // The time of the last timestep before the first row, if it came with one.
  std::optional<int64_t> last_time() const { return last_time_; }

 private:
  absl::Status CheckRequest() override;
  absl::Status Open() override;
  absl::Status StartFrom(SessionLease session) override;
  void CancelPaths() override;
  void OnContinue() override { TakeQuantiles(); }
  void OnPathDone(const absl::Status& status) override;

  absl::Status StartFromHistory();
  // `last_time`: of the session's last timestep; `state`: to start from, or null for zero; `given`: the session's
  // newest output, or empty.
  absl::Status RunPaths(std::optional<int64_t> last_time, const float* state, absl::Span<const float> given);
  // Takes the forecast's cost from the budget, then makes the plan and its paths; none has started.
  absl::Status MakePaths(std::optional<int64_t> last_time, const float* state, absl::Span<const float> given);
  // The paths are done: answers, at once or by quantiles that are taken over some turns of the loop.
  void TakeValues();
  void TakeQuantiles();

  ForecastView request_;
  std::optional<ForecastPlan> plan_;
  std::vector<std::unique_ptr<ForecastPath>> paths_;
  std::vector<absl::Span<const float>> points_;  // of the paths, whose quantiles are being taken
  size_t columns_ = 0;                           // of points_ whose quantiles have been taken
  size_t unfinished_paths_ = 0;
  absl::Status path_status_;  // the first failure
  int64_t position_ = 0;
  std::optional<int64_t> last_time_;
  std::vector<float> quantiles_;  // what values_ points to if paths were sampled
  absl::Span<const float> values_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_FORECAST_H_
