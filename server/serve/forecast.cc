#include "server/serve/forecast.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "base/steady_time.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/serve/check_sequence.h"
#include "server/serve/or_out_of_memory.h"
#include "server/serve/record_refusal.h"

namespace rondo {
namespace {

// So many numbers are sorted in one turn of the loop, some 0.5 ms: live steps come in between.
constexpr size_t kNumbersPerTurn = 10'000;

absl::Span<const double> QuantilesOf(const ForecastView& request) {
  static constexpr double kUsual[] = {0.1, 0.5, 0.9};
  return request.path_quantiles.empty() ? absl::MakeConstSpan(kUsual) : request.path_quantiles;
}

}  // namespace

void Forecast::Start(const ForecastView& request, absl::Time now, absl::Time deadline) {
  request_ = request;
  arrived_ = now;
  came_ = std::min(now, context_->clock->unread_since());
  deadline_ = deadline;
  running_ = true;
  context_->metrics->in_flight.Add(1);
  if (const absl::Status status = Begin(); !status.ok()) Finish(status);
}

absl::Status Forecast::Begin() {
  if (context_->draining->load(std::memory_order_relaxed)) return ShuttingDown();
  if (request_.horizon < 1 || request_.horizon > static_cast<int64_t>(context_->limits.max_timesteps)) {
    return Invalid("horizon is ", request_.horizon, "; wanted 1 to ", context_->limits.max_timesteps);
  }
  absl::StatusOr<ServedModelPtr> model = context_->registry->Find(request_.model, request_.version);
  if (!model.ok()) return model.status();
  model_ = *std::move(model);
  if (request_.session_id.empty()) return StartFromHistory();
  if (!request_.history.empty()) {
    return absl::InvalidArgumentError("both session_id and history are given; a forecast starts from one of them");
  }
  absl::StatusOr<std::optional<SessionLease>> lease =
      wait_.Acquire(owner_->tenant(), request_.session_id, nullptr, arrived_);
  if (lease.ok() && !lease->has_value()) return absl::OkStatus();
  return lease.ok() ? StartFromSession(*std::move(*lease)) : lease.status();
}

void Forecast::Proceed(bool) {
  if (!points_.empty()) return TakeQuantiles();
  absl::StatusOr<SessionLease> lease = wait_.TakeLease();
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
  last_time_ = session.last_time();
  const absl::Status status = RunPaths(session.last_time(), session.state(), session.last_output());
  session.Release(arrived_);
  return status;
}

absl::Status Forecast::StartFromHistory() {
  const Model& model = *model_->model;
  absl::Status status = CheckTimesteps(request_.history, request_.history_times, model, context_->limits.max_timesteps);
  if (!status.ok()) return status;
  position_ = static_cast<int64_t>(request_.history.size()) / model.spec().input_size();
  if (!request_.history_times.empty()) last_time_ = request_.history_times.back();
  return RunPaths(std::nullopt, nullptr, {});
}

absl::Status Forecast::RunPaths(std::optional<int64_t> last_time, const float* state, absl::Span<const float> given) {
  const absl::Status made = OrOutOfMemory([&] { return MakePaths(last_time, state, given); });
  if (!made.ok()) return made;
  unfinished_paths_ = paths_.size() + 1;  // one more, so that it ends after the last has started
  for (const std::unique_ptr<ForecastPath>& path : paths_) {
    const absl::Status status =
        OrOutOfMemory([&] { return path->Start(context_->engine, owner_->flow(), arrived_, deadline_); });
    if (!status.ok()) OnPathDone(status);
  }
  OnPathDone(absl::OkStatus());
  return absl::OkStatus();
}

absl::Status Forecast::MakePaths(std::optional<int64_t> last_time, const float* state, absl::Span<const float> given) {
  absl::Status status = CheckPaths(request_, *model_->model, context_->limits.max_message_bytes);
  if (!status.ok()) return status;
  const size_t history = request_.history.size() / static_cast<size_t>(model_->spec().input_size());
  const Work work = WorkOfPaths(request_, model_->spec(), history + static_cast<size_t>(request_.horizon) - 1);
  if (owner_->quota() != nullptr) status = owner_->quota()->TakeWork(work);
  if (!status.ok()) return status;
  status = budget()->Take(work);
  if (!status.ok()) return status;
  work_ = work;
  absl::StatusOr<ForecastPlan> plan = ForecastPlan::Make(request_, *model_->model, last_time);
  if (!plan.ok()) return plan.status();
  plan_ = *std::move(plan);
  const bool sampling = request_.num_paths > 0;
  const size_t num_paths = sampling ? static_cast<size_t>(request_.num_paths) : 1;
  const uint64_t seed = request_.seed != 0 ? request_.seed : std::random_device()();
  for (size_t i = 0; i < num_paths; ++i) {
    SessionLease scratch = context_->sessions->AcquireStateless(model_);
    if (state != nullptr) std::copy_n(state, model_->spec().state_size(), scratch.state());
    const std::optional<uint64_t> path_seed = sampling ? std::optional<uint64_t>(seed + i) : std::nullopt;
    paths_.push_back(std::make_unique<ForecastPath>(&*plan_, std::move(scratch), given, path_seed,
                                                    static_cast<ForecastPath::Owner*>(this)));
  }
  return absl::OkStatus();
}

void Forecast::OnPathDone(const absl::Status& status) {
  if (!status.ok() && path_status_.ok()) {
    path_status_ = status;
    CancelPaths();
  }
  if (--unfinished_paths_ > 0) return;
  path_status_.ok() ? TakeValues() : Finish(path_status_);
}

void Forecast::CancelPaths() {
  for (const std::unique_ptr<ForecastPath>& path : paths_) path->Cancel();
}

void Forecast::TakeValues() {
  if (request_.num_paths == 0) {
    values_ = paths_.front()->values();
    return Finish(absl::OkStatus());
  }
  const absl::Status status = OrOutOfMemory([this] {
    for (const std::unique_ptr<ForecastPath>& path : paths_) points_.push_back(path->values());
    quantiles_.reserve(points_.front().size() * QuantilesOf(request_).size());
    return absl::OkStatus();
  });
  if (!status.ok()) return Finish(status);
  context_->poster->Post(this);
}

void Forecast::TakeQuantiles() {
  if (cancelled_) return Finish(CancelledByClient());
  const size_t begin = columns_;
  columns_ = std::min(points_.front().size(), begin + kNumbersPerTurn / points_.size() + 1);
  AppendQuantiles(points_, QuantilesOf(request_), model_->spec(), begin, columns_, &quantiles_);
  if (columns_ < points_.front().size()) return context_->poster->Post(this);
  values_ = quantiles_;
  Finish(absl::OkStatus());
}

WorkBudget* Forecast::budget() const { return owner_->budget() == nullptr ? context_->budget : owner_->budget(); }

void Forecast::Finish(const absl::Status& status) {
  running_ = false;
  status_ = status;
  context_->metrics->in_flight.Add(-1);
  if (model_ != nullptr)
    model_->metrics->requests.durations.Observe(Method::kForecast, status.code(), SteadyNow() - came_);
  budget()->GiveBack(std::exchange(work_, {}));
  if (!status.ok()) {
    const RefusedRequest refused{LabelOf(Method::kForecast), request_.model, "", owner_->caller()};
    RecordRefusal(status, refused, context_->metrics);
  }
  owner_->OnMessageDone();
}

void Forecast::Cancel() {
  if (!running_) return;
  cancelled_ = true;
  CancelPaths();
  if (wait_.Cancel()) Finish(CancelledByClient());
}

}  // namespace rondo
