#include "server/serve/forecast.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/serve/check_sequence.h"
#include "server/serve/record_refusal.h"

namespace rondo {

void Forecast::Start(const ForecastView& request, absl::Time now, absl::Time deadline) {
  request_ = request;
  arrived_ = now;
  deadline_ = deadline;
  running_ = true;
  context_->metrics->in_flight.Add(1);
  if (const absl::Status status = Begin(); !status.ok()) Finish(status);
}

absl::Status Forecast::Begin() {
  if (context_->draining->load(std::memory_order_relaxed)) return ShuttingDown();
  if (request_.horizon < 1 || request_.horizon > static_cast<int64_t>(context_->limits.max_timesteps)) {
    return absl::InvalidArgumentError(
        absl::StrCat("horizon is ", request_.horizon, "; wanted 1 to ", context_->limits.max_timesteps));
  }
  absl::StatusOr<ServedModelPtr> model = context_->registry->Find(request_.model, request_.version);
  if (!model.ok()) return model.status();
  model_ = *std::move(model);
  if (request_.session_id.empty()) return StartFromHistory();
  if (!request_.history.empty()) {
    return absl::InvalidArgumentError("both session_id and history are given; a forecast starts from one of them");
  }
  waiting_ = true;
  absl::StatusOr<std::optional<SessionLease>> lease =
      context_->sessions->Acquire(request_.session_id, nullptr, this, arrived_);
  if (lease.ok() && !lease->has_value()) return absl::OkStatus();
  waiting_ = false;
  return lease.ok() ? StartFromSession(*std::move(*lease)) : lease.status();
}

void Forecast::OnLease(absl::StatusOr<SessionLease> lease) {
  granted_ = std::move(lease);
  context_->poster->Post(this);
}

void Forecast::Proceed(bool) {
  waiting_ = false;
  absl::StatusOr<SessionLease> lease = std::exchange(granted_, absl::CancelledError());
  absl::Status status = lease.status();
  if (lease.ok()) status = cancelled_ ? CancelledByClient() : StartFromSession(*std::move(lease));
  if (!status.ok()) Finish(status);
}

absl::Status Forecast::StartFromSession(SessionLease session) {
  const Model& model = *session.model()->model;
  if (model.name != model_->model->name || (request_.version != 0 && request_.version != model.version)) {
    return Refuse(Why::kPosition, absl::StrCat("session '", request_.session_id, "' runs model '", model.name,
                                               "' version ", model.version));
  }
  if (session.position() == 0) {
    return Refuse(Why::kPosition, absl::StrCat("session '", request_.session_id,
                                               "' has no timestep yet; a forecast needs at least one"));
  }
  model_ = session.model();
  position_ = session.position();
  const absl::Status status =
      RunPaths(ForecastPlan::Make(request_, model, session.last_time()), session.state(), session.last_output());
  session.Release(arrived_);
  return status;
}

absl::Status Forecast::StartFromHistory() {
  const Model& model = *model_->model;
  absl::Status status = CheckTimesteps(request_.history, request_.history_times, model, context_->limits.max_timesteps);
  if (!status.ok()) return status;
  position_ = static_cast<int64_t>(request_.history.size()) / model.spec().input_size();
  return RunPaths(ForecastPlan::Make(request_, model, std::nullopt), nullptr, {});
}

absl::Status Forecast::RunPaths(absl::StatusOr<ForecastPlan> plan, const float* state, absl::Span<const float> given) {
  if (!plan.ok()) return plan.status();
  absl::Status status = CheckPaths(request_, *model_->model, plan->timesteps(), context_->limits.max_message_bytes);
  if (!status.ok()) return status;
  const bool sampling = request_.num_paths > 0;
  const size_t num_paths = sampling ? static_cast<size_t>(request_.num_paths) : 1;
  const uint64_t seed = request_.seed != 0 ? request_.seed : std::random_device()();
  for (size_t i = 0; i < num_paths; ++i) {
    SessionLease scratch = context_->sessions->AcquireStateless(model_);
    if (state != nullptr) std::copy_n(state, model_->spec().state_size(), scratch.state());
    const std::optional<uint64_t> path_seed = sampling ? std::optional<uint64_t>(seed + i) : std::nullopt;
    paths_.push_back(std::make_unique<ForecastPath>(*plan, std::move(scratch), given, path_seed,
                                                    static_cast<ForecastPath::Owner*>(this)));
  }
  unfinished_paths_ = num_paths + 1;  // one more, so that it ends after the last has started
  for (const std::unique_ptr<ForecastPath>& path : paths_) {
    status = path->Start(context_->engine, owner_->flow(), arrived_, deadline_);
    if (!status.ok()) OnPathDone(status);
  }
  OnPathDone(absl::OkStatus());
  return absl::OkStatus();
}

void Forecast::OnPathDone(const absl::Status& status) {
  if (!status.ok() && path_status_.ok()) {
    path_status_ = status;
    CancelPaths();
  }
  if (--unfinished_paths_ == 0) Finish(path_status_);
}

void Forecast::CancelPaths() {
  for (const std::unique_ptr<ForecastPath>& path : paths_) path->Cancel();
}

void Forecast::TakeValues() {
  const auto horizon = static_cast<size_t>(request_.horizon);
  if (request_.num_paths == 0) {
    values_ = paths_.front()->Outputs(horizon);
    return;
  }
  std::vector<absl::Span<const float>> points;
  for (const std::unique_ptr<ForecastPath>& path : paths_) points.push_back(path->Points(horizon));
  static constexpr double kUsualQuantiles[] = {0.1, 0.5, 0.9};
  quantiles_ = PathQuantiles(
      points, request_.path_quantiles.empty() ? absl::MakeConstSpan(kUsualQuantiles) : request_.path_quantiles);
  values_ = quantiles_;
}

void Forecast::Finish(const absl::Status& status) {
  running_ = false;
  status_ = status;
  context_->metrics->in_flight.Add(-1);
  if (model_ != nullptr)
    model_->metrics->requests.durations.Observe(Method::kForecast, status.code(), absl::Now() - arrived_);
  if (status.ok()) TakeValues();
  if (!status.ok()) RecordRefusal(status, context_->metrics);
  owner_->OnMessageDone();
}

void Forecast::Cancel() {
  if (!running_) return;
  cancelled_ = true;
  CancelPaths();
  if (!waiting_ || !context_->sessions->CancelWait(request_.session_id, this)) return;
  waiting_ = false;
  Finish(CancelledByClient());
}

}  // namespace rondo
