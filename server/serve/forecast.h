#ifndef RONDO_SERVER_SERVE_FORECAST_H_
#define RONDO_SERVER_SERVE_FORECAST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/loop/event.h"
#include "server/serve/forecast_path.h"
#include "server/serve/forecast_plan.h"
#include "server/serve/forecast_view.h"
#include "server/serve/message_owner.h"
#include "server/serve/serve_context.h"
#include "server/serve/session_wait.h"
#include "server/serve/work_budget.h"
#include "server/session/session_lease.h"

namespace rondo {

// One forecast. It copies the session's state and lets the session go, so that live steps never wait for it; then its
// paths are stateless sequences.
//
// Ownership: borrows the context and the owner.
// Threads:   the loop's own.
class Forecast : private Event, private ForecastPath::Owner {
 public:
  Forecast(const ServeContext* context, MessageOwner* owner) : context_(context), owner_(owner), wait_(context, this) {}

  // Once at most. The owner hears OnMessageDone once, at once or later; what `request` points to stays until then.
  // `now`: when it arrived.
  void Start(const ForecastView& request, absl::Time now, absl::Time deadline);
  // Ends as CANCELLED soon, unless it is done.
  void Cancel();

  // After OnMessageDone: OK, or why there is no forecast.
  const absl::Status& status() const { return status_; }
  // If it is OK. [horizon][output_size]; with paths, one number a quantile for each output of each row.
  absl::Span<const float> values() const { return values_; }
  // The session's position, unmoved; the timesteps of the history without a session.
  int64_t position() const { return position_; }
  // The time of the last timestep before the first row, if it came with one.
  std::optional<int64_t> last_time() const { return last_time_; }

 private:
  void Proceed(bool ok) override;
  void OnPathDone(const absl::Status& status) override;

  // OK: it has started, or waits for the session.
  absl::Status Begin();
  absl::Status StartFromSession(SessionLease session);
  absl::Status StartFromHistory();
  // `last_time`: of the session's last timestep; `state`: to start from, or null for zero; `given`: the session's
  // newest output, or empty.
  absl::Status RunPaths(std::optional<int64_t> last_time, const float* state, absl::Span<const float> given);
  // Takes the forecast's cost from the budget, then makes the plan and its paths; none has started.
  absl::Status MakePaths(std::optional<int64_t> last_time, const float* state, absl::Span<const float> given);
  WorkBudget* budget() const;
  void CancelPaths();
  // The paths are done: answers, at once or by quantiles that are taken over some turns of the loop.
  void TakeValues();
  void TakeQuantiles();
  void Finish(const absl::Status& status);

  const ServeContext* const context_;
  MessageOwner* const owner_;

  ForecastView request_;
  ServedModelPtr model_;
  absl::Time arrived_;
  absl::Time came_;  // no later than arrived_: the message has not come to this machine before
  absl::Time deadline_;
  SessionWait wait_;
  Work work_;  // taken from the budget
  std::optional<ForecastPlan> plan_;
  std::vector<std::unique_ptr<ForecastPath>> paths_;
  std::vector<absl::Span<const float>> points_;  // of the paths; not empty: their quantiles are being taken
  size_t columns_ = 0;                           // of points_ whose quantiles have been taken
  size_t unfinished_paths_ = 0;
  absl::Status path_status_;  // the first failure
  bool running_ = false;
  bool cancelled_ = false;
  absl::Status status_;
  int64_t position_ = 0;
  std::optional<int64_t> last_time_;
  std::vector<float> quantiles_;  // what values_ points to if paths were sampled
  absl::Span<const float> values_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_FORECAST_H_
