#include "server/rpc/native/forecast_call.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/rpc/call/status.h"
#include "server/serve/check_sequence.h"

namespace rondo {
namespace {

constexpr int kMaxPaths = 1000;
constexpr double kMaxPathBytes = 256 << 20;  // inputs and outputs of all paths of one forecast

}  // namespace

ForecastCall::ForecastCall(const RpcContext* context, v1::Inference::AsyncService* service)
    : RpcCall(context), service_(service) {
  Await(service_, &v1::Inference::AsyncService::RequestForecast, &request_, &writer_);
}

void ForecastCall::OnArrived() {
  Listen<ForecastCall>(context(), service_);
  start_ = absl::Now();
  context()->metrics->in_flight.Add(1);
  if (absl::Status status = Start(); !status.ok()) Reply(status);
}

absl::Status ForecastCall::Start() {
  if (context()->draining->load(std::memory_order_relaxed)) {
    return ShuttingDown();
  }
  if (request_.horizon() < 1 || static_cast<size_t>(request_.horizon()) > context()->limits.max_timesteps) {
    return absl::InvalidArgumentError(
        absl::StrCat("horizon is ", request_.horizon(), "; wanted 1 to ", context()->limits.max_timesteps));
  }
  absl::StatusOr<ServedModelPtr> model = context()->registry->Find(request_.model(), request_.version());
  if (!model.ok()) return model.status();
  model_ = *std::move(model);
  if (request_.session_id().empty()) return StartFromHistory(model_);
  if (request_.history_size() > 0) {
    return absl::InvalidArgumentError("both session_id and history are given; a forecast starts from one of them");
  }
  absl::StatusOr<std::optional<SessionLease>> lease =
      context()->sessions->Acquire(request_.session_id(), nullptr, this, start_);
  if (!lease.ok()) return lease.status();
  if (lease->has_value()) return StartFromSession(*std::move(*lease));
  is_waiting_ = true;
  Begin(&granted_);
  return absl::OkStatus();
}

void ForecastCall::OnLease(absl::StatusOr<SessionLease> lease) {
  granted_lease_ = std::move(lease);
  context()->loop->Post(&granted_);
}

void ForecastCall::OnGranted(bool) {
  is_waiting_ = false;
  absl::StatusOr<SessionLease> lease = std::exchange(granted_lease_, absl::CancelledError());
  absl::Status status = lease.status();
  if (lease.ok()) {
    status = is_cancelled_ ? CancelledByClient() : StartFromSession(*std::move(lease));
  }
  if (!status.ok()) Reply(status);
}

absl::Status ForecastCall::StartFromSession(SessionLease session) {
  const Model& model = *session.model()->model;
  if (model.name != model_->model->name || (request_.version() != 0 && request_.version() != model.version)) {
    return Refuse(Why::kPosition, absl::StrCat("session '", request_.session_id(), "' runs model '", model.name,
                                               "' version ", model.version));
  }
  if (session.position() == 0) {
    return Refuse(Why::kPosition, absl::StrCat("session '", request_.session_id(),
                                               "' has no timestep yet; a forecast needs at least one"));
  }
  model_ = session.model();
  response_.set_position(session.position());
  const absl::Status status =
      Run(ForecastPlan::Make(request_, model, session.last_time()), session.state(), session.last_output());
  session.Release(start_);
  return status;
}

absl::Status ForecastCall::StartFromHistory(const ServedModelPtr& model) {
  const absl::Span<const int64_t> times(request_.history_times().data(),
                                        static_cast<size_t>(request_.history_times_size()));
  absl::Status status = CheckTimesteps(request_.history(), times, *model->model, context()->limits.max_timesteps);
  if (!status.ok()) return status;
  response_.set_position(request_.history_size() / model->spec().input_size());
  return Run(ForecastPlan::Make(request_, *model->model, std::nullopt), nullptr, {});
}

absl::Status ForecastCall::Run(absl::StatusOr<ForecastPlan> plan, const float* state, absl::Span<const float> given) {
  if (!plan.ok()) return plan.status();
  if (absl::Status status = CheckPaths(*plan); !status.ok()) return status;
  const bool sampling = request_.num_paths() > 0;
  const size_t num_paths = sampling ? static_cast<size_t>(request_.num_paths()) : 1;
  const uint64_t seed = request_.seed() != 0 ? request_.seed() : std::random_device()();
  for (size_t i = 0; i < num_paths; ++i) {
    SessionLease scratch = context()->sessions->AcquireStateless(model_);
    if (state != nullptr) std::copy_n(state, model_->spec().state_size(), scratch.state());
    const std::optional<uint64_t> path_seed = sampling ? std::optional<uint64_t>(seed + i) : std::nullopt;
    paths_.push_back(std::make_unique<ForecastPath>(*plan, std::move(scratch), given, path_seed,
                                                    static_cast<ForecastPath::Owner*>(this)));
  }
  unfinished_paths_ = num_paths + 1;  // one more, so that it ends after the last has started
  for (const std::unique_ptr<ForecastPath>& path : paths_) {
    const absl::Status status = path->Start(&context()->loop->engine(), start_, deadline());
    if (!status.ok()) OnPathDone(status);
  }
  OnPathDone(absl::OkStatus());
  return absl::OkStatus();
}

absl::Status ForecastCall::CheckPaths(const ForecastPlan& plan) const {
  const ModelSpec& spec = model_->spec();
  const int num_paths = request_.num_paths();
  if (num_paths != 0 && (num_paths < 2 || num_paths > kMaxPaths)) {
    return absl::InvalidArgumentError(
        absl::StrCat("num_paths is ", num_paths, "; wanted 2 to ", kMaxPaths, ", or 0 to sample none"));
  }
  if (num_paths != 0 && spec.head != Head::kGaussian) {
    return Refuse(Why::kPosition, absl::StrCat("model '", model_->model->name, "' has a ", HeadName(spec.head),
                                               " head; only a gaussian one can sample paths"));
  }
  double last = 0;
  for (const double quantile : request_.path_quantiles()) {
    if (!(quantile > last && quantile < 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a path quantile is ", quantile, "; wanted ascending numbers inside (0, 1)"));
    }
    last = quantile;
  }
  const double values = static_cast<double>(spec.output_size()) * std::max(1, request_.path_quantiles_size());
  const double reply_bytes = request_.horizon() * values * sizeof(float);
  const double path_bytes = static_cast<double>(plan.timesteps()) * std::max(1, num_paths) *
                            static_cast<double>(spec.output_size() + spec.input_size()) * sizeof(float);
  if (reply_bytes <= static_cast<double>(context()->limits.max_message_bytes) && path_bytes <= kMaxPathBytes) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("the forecast is too large: a reply of ", reply_bytes,
                                                 " bytes, at most ", context()->limits.max_message_bytes, "; paths of ",
                                                 path_bytes, " bytes, at most ", kMaxPathBytes));
}

void ForecastCall::OnPathDone(const absl::Status& status) {
  if (!status.ok() && path_status_.ok()) {
    path_status_ = status;
    CancelPaths();
  }
  if (--unfinished_paths_ == 0) Reply(path_status_);
}

void ForecastCall::CancelPaths() {
  for (const std::unique_ptr<ForecastPath>& path : paths_) path->Cancel();
}

void ForecastCall::FillResponse() {
  const auto horizon = static_cast<size_t>(request_.horizon());
  if (request_.num_paths() == 0) {
    const absl::Span<const float> outputs = paths_.front()->Outputs(horizon);
    response_.mutable_values()->Add(outputs.begin(), outputs.end());
    return;
  }
  std::vector<absl::Span<const float>> points;
  for (const std::unique_ptr<ForecastPath>& path : paths_) points.push_back(path->Points(horizon));
  std::vector<double> quantiles(request_.path_quantiles().begin(), request_.path_quantiles().end());
  if (quantiles.empty()) quantiles = {0.1, 0.5, 0.9};
  const std::vector<float> values = PathQuantiles(points, quantiles);
  response_.mutable_values()->Add(values.begin(), values.end());
}

void ForecastCall::Reply(const absl::Status& status) {
  context()->metrics->in_flight.Add(-1);
  if (model_ != nullptr)
    model_->metrics->requests.durations.Observe(Method::kForecast, status.code(), absl::Now() - start_);
  if (status.ok()) FillResponse();
  if (!status.ok()) RecordRefusal(status, context()->metrics);
  FinishUnary(&writer_, response_, ToGrpcStatus(status, server_context()));
}

void ForecastCall::OnCancelled() {
  is_cancelled_ = true;
  CancelPaths();
  if (!is_waiting_ || !context()->sessions->CancelWait(request_.session_id(), this)) return;
  is_waiting_ = false;
  CallOff();
  Reply(CancelledByClient());
}

}  // namespace rondo
