#include "server/rpc/forecast_call.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/rpc/check_sequence.h"
#include "server/rpc/status.h"

namespace rondo {

void ForecastCall::Listen(const RpcContext* context, v1::Inference::AsyncService* service) {
  new ForecastCall(context, service);
}

ForecastCall::ForecastCall(const RpcContext* context, v1::Inference::AsyncService* service)
    : context_(context), service_(service) {
  server_context_.AsyncNotifyWhenDone(&context_done_);
  grpc::ServerCompletionQueue* queue = context_->loop->queue();
  service_->RequestForecast(&server_context_, &request_, &writer_, queue, queue, &arrived_);
}

void ForecastCall::OnArrived(bool ok) {
  if (!ok) {  // the server is shutting down; context_done_ will not come
    delete this;
    return;
  }
  context_->calls->Add(this);
  Listen(context_, service_);
  start_ = absl::Now();
  context_->metrics->requests_in_flight().Add(1);
  if (absl::Status status = Start(); !status.ok()) Reply(status);
}

absl::Status ForecastCall::Start() {
  if (context_->draining->load(std::memory_order_relaxed)) {
    return absl::UnavailableError("the server is shutting down");
  }
  if (request_.horizon() < 1 || static_cast<size_t>(request_.horizon()) > context_->limits.max_timesteps) {
    return absl::InvalidArgumentError(
        absl::StrCat("horizon is ", request_.horizon(), "; wanted 1 to ", context_->limits.max_timesteps));
  }
  absl::StatusOr<ServedModelPtr> model = context_->registry->Find(request_.model(), request_.version());
  if (!model.ok()) return model.status();
  model_ = *std::move(model);
  if (request_.session_id().empty()) return StartFromHistory(model_);
  if (request_.history_size() > 0) {
    return absl::InvalidArgumentError("both session_id and history are given; a forecast starts from one of them");
  }
  is_waiting_ = true;
  absl::StatusOr<std::optional<SessionLease>> lease =
      context_->sessions->Acquire(request_.session_id(), nullptr, this, start_);
  if (lease.ok() && !lease->has_value()) return absl::OkStatus();
  is_waiting_ = false;
  return lease.ok() ? StartFromSession(*std::move(*lease)) : lease.status();
}

void ForecastCall::OnLease(absl::StatusOr<SessionLease> lease) {
  granted_lease_ = std::move(lease);
  context_->loop->Post(&granted_);
}

void ForecastCall::OnGranted(bool) {
  is_waiting_ = false;
  absl::StatusOr<SessionLease> lease = std::exchange(granted_lease_, absl::CancelledError());
  absl::Status status = lease.status();
  if (lease.ok()) {
    status = is_cancelled_ ? absl::CancelledError("cancelled by the client") : StartFromSession(*std::move(lease));
  }
  if (!status.ok()) Reply(status);
}

absl::Status ForecastCall::StartFromSession(SessionLease session) {
  const Model& model = *session.model()->model;
  if (model.name != model_->model->name || (request_.version() != 0 && request_.version() != model.version)) {
    return absl::FailedPreconditionError(
        absl::StrCat("session '", request_.session_id(), "' runs model '", model.name, "' version ", model.version));
  }
  if (session.position() == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("session '", request_.session_id(), "' has no timestep yet; a forecast needs at least one"));
  }
  model_ = session.model();
  response_.set_position(session.position());
  outputs_.assign(session.last_output().begin(), session.last_output().end());
  scratch_ = context_->sessions->AcquireStateless(model_);
  std::copy_n(session.state(), model.spec().state_size(), scratch_.state());
  absl::StatusOr<ForecastPlan> plan = ForecastPlan::Make(request_, model, session.last_time());
  if (plan.ok() && plan->timesteps() > 0) plan->FeedBack(outputs_, 0);
  session.Release(start_);
  return Run(std::move(plan));
}

absl::Status ForecastCall::StartFromHistory(const ServedModelPtr& model) {
  const absl::Span<const int64_t> times(request_.history_times().data(),
                                        static_cast<size_t>(request_.history_times_size()));
  absl::Status status = CheckTimesteps(request_.history(), times, *model->model, context_->limits.max_timesteps);
  if (!status.ok()) return status;
  response_.set_position(request_.history_size() / model->spec().input_size());
  scratch_ = context_->sessions->AcquireStateless(model);
  return Run(ForecastPlan::Make(request_, *model->model, std::nullopt));
}

absl::Status ForecastCall::Run(absl::StatusOr<ForecastPlan> plan) {
  if (!plan.ok()) return plan.status();
  plan_ = *std::move(plan);
  const size_t output_size = static_cast<size_t>(model_->spec().output_size());
  const size_t reply_bytes = static_cast<size_t>(request_.horizon()) * output_size * sizeof(float);
  if (reply_bytes > context_->limits.max_message_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the reply would have ", reply_bytes, " bytes; a message has at most ", context_->limits.max_message_bytes));
  }
  const size_t given = outputs_.size();
  outputs_.resize(given + plan_.timesteps() * output_size);
  if (plan_.timesteps() == 0) {
    Reply(absl::OkStatus());
    return absl::OkStatus();
  }
  run_.network = model_->model->network.get();
  run_.metrics = model_->metrics;
  run_.observer = this;
  run_.timesteps = plan_.timesteps();
  run_.inputs = plan_.inputs().data();
  run_.times = plan_.times().empty() ? nullptr : plan_.times().data();
  run_.outputs = outputs_.data() + given;
  run_.observe_steps = true;
  run_.first_state = run_.working_state = run_.final_state = scratch_.state();
  run_.admitted = start_;
  run_.deadline = absl::FromChrono(server_context_.deadline());
  return context_->loop->engine().Admit(&run_);
}

void ForecastCall::OnStep(SequenceRun* run, size_t step) {
  if (step + 1 < plan_.history_timesteps()) return;
  const size_t output_size = static_cast<size_t>(model_->spec().output_size());
  plan_.FeedBack(absl::MakeConstSpan(run->outputs + step * output_size, output_size), step + 1);
}

void ForecastCall::OnFinished(SequenceRun*, const absl::Status& status) { Reply(status); }

void ForecastCall::Reply(const absl::Status& status) {
  context_->metrics->requests_in_flight().Add(-1);
  if (model_ != nullptr) model_->metrics->ObserveRequest(Method::kForecast, status.code(), absl::Now() - start_);
  if (!status.ok()) {
    RecordRefusal(RejectionOf(status), status, context_->metrics);
    writer_.FinishWithError(ToGrpcStatus(status, &server_context_), &finished_);
    return;
  }
  const size_t values = static_cast<size_t>(request_.horizon() * model_->spec().output_size());
  response_.mutable_values()->Add(outputs_.end() - static_cast<std::ptrdiff_t>(values), outputs_.end());
  writer_.Finish(response_, grpc::Status::OK, &finished_);
}

void ForecastCall::OnFinished(bool) {
  is_finished_ = true;
  DeleteWhenOver();
}

void ForecastCall::OnContextDone(bool) {
  is_context_done_ = true;
  if (server_context_.IsCancelled() && !is_finished_) {
    is_cancelled_ = run_.cancelled = true;
    if (is_waiting_ && context_->sessions->CancelWait(request_.session_id(), this)) {
      is_waiting_ = false;
      Reply(absl::CancelledError("cancelled by the client"));
    }
  }
  DeleteWhenOver();
}

void ForecastCall::DeleteWhenOver() {
  if (!is_finished_ || !is_context_done_) return;
  context_->calls->Remove(this);
  delete this;
}

}  // namespace rondo
