#include "server/serve/feedback_request.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/steady_time.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/serve/or_out_of_memory.h"
#include "server/serve/position_refusals.h"
#include "server/serve/record_refusal.h"
#include "server/session/session_id.h"

namespace rondo {

void FeedbackRequest::Begin(const Subject& subject, absl::Time now, absl::Time deadline) {
  subject_ = subject;
  arrived_ = now;
  came_ = std::min(now, context_->clock->unread_since());
  deadline_ = deadline;
  running_ = true;
  trace_ = owner_->BeginTrace(came_, arrived_);
  context_->metrics->in_flight.Add(1);
  if (const absl::Status status = TryToBegin(); !status.ok()) Finish(status);
}

absl::Status FeedbackRequest::TryToBegin() {
  if (context_->draining->load(std::memory_order_relaxed)) return ShuttingDown();
  if (absl::Status status = CheckRequest(); !status.ok()) return status;
  absl::StatusOr<ServedModelPtr> model = context_->registry->Find(subject_.model, subject_.version);
  if (!model.ok()) return model.status();
  model_ = *std::move(model);
  return Open();
}

absl::Status FeedbackRequest::AcquireSession(const ServedModelPtr* create_as, const RequestOrder& order) {
  auto lease =
      OrOutOfMemory([&] { return wait_.Acquire(owner_->tenant(), subject_.session_id, create_as, arrived_, order); });
  if (!lease.ok()) return lease.status();
  awaits_session_ = !lease->has_value();
  return awaits_session_ ? absl::OkStatus() : StartFromChecked(*std::move(*lease));
}

void FeedbackRequest::Proceed(bool) {
  if (!std::exchange(awaits_session_, false)) return OnContinue();
  absl::StatusOr<SessionLease> lease = wait_.TakeLease();
  if (trace_ != nullptr) trace_->session_ready = SteadyNow();
  absl::Status status = lease.status();
  if (lease.ok()) status = cancelled_ ? CancelledByClient() : StartFromChecked(*std::move(lease));
  if (!status.ok()) Finish(status);
}

absl::Status FeedbackRequest::StartFromChecked(SessionLease session) {
  if (subject_.of_any_model) return StartFrom(std::move(session));
  const Model& model = *session.model()->model;
  if (model.name != model_->model->name || (subject_.version != 0 && subject_.version != model.version)) {
    return Refuse(Why::kPosition, absl::StrCat("session '", subject_.session_id, "' runs model '", model.name,
                                               "' version ", model.version));
  }
  model_ = session.model();
  return StartFrom(std::move(session));
}

absl::Status FeedbackRequest::TakeWork(const Work& work) {
  if (owner_->quota() != nullptr) {
    if (absl::Status status = owner_->quota()->TakeWork(work); !status.ok()) return status;
  }
  const absl::Status status = budget()->Take(work);
  if (status.ok()) work_ = work;
  return status;
}

WorkBudget* FeedbackRequest::budget() const {
  return owner_->budget() == nullptr ? context_->budget : owner_->budget();
}

void FeedbackRequest::NoteHeard(const absl::Status& refusal) {
  const Refusal said = RefusalOf(refusal);
  if (said.why != Why::kWentBack || cancelled_ || !HearsAnswer(came_, deadline_, SteadyNow())) return;
  context_->sessions->HeardThatItWentBack(SessionName(owner_->tenant(), subject_.session_id), *said.next_position);
}

void FeedbackRequest::EndTrace() {
  trace_->ended = SteadyNow();
  trace_->code = status_.code();
  if (model_ != nullptr) trace_->model = model_->model->name;
  trace_->timesteps = work_.steps;
  OfferSpans(std::move(*trace_));
  trace_ = nullptr;
}

void FeedbackRequest::Finish(const absl::Status& status) {
  running_ = false;
  status_ = status;
  if (model_ != nullptr) {
    model_->metrics->requests.durations.Observe(method_, status.code(), SteadyNow() - came_,
                                                trace_ == nullptr ? nullptr : &trace_->span.trace_id);
  }
  if (trace_ != nullptr) EndTrace();
  LetGo();
  context_->metrics->in_flight.Add(-1);
  budget()->GiveBack({std::exchange(work_.steps, 0), status.ok() ? 0 : std::exchange(work_.bytes, 0)});
  if (!status.ok()) {
    NoteHeard(status);
    RecordRefusal(status, {LabelOf(method_), subject_.model, "", owner_->caller()}, context_->metrics);
  }
  owner_->OnMessageDone();
}

void FeedbackRequest::Cancel() {
  if (!running_) return;
  cancelled_ = true;
  CancelPaths();
  if (wait_.Cancel()) Finish(CancelledByClient());
}

}  // namespace rondo
