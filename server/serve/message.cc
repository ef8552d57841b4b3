#include "server/serve/message.h"

#include <algorithm>
#include <utility>

#include "base/invalid.h"
#include "base/steady_time.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/serve/or_out_of_memory.h"
#include "server/serve/position_refusals.h"
#include "server/serve/record_refusal.h"
#include "server/session/session_id.h"

namespace rondo {
namespace {

constexpr size_t kPrefetched = 4;  // sequences that are fetched into the cache while the one before them starts

}  // namespace

void Message::FinishRefused(const absl::Status& status) {
  refusal_ = first_failure_ = status;
  Record(status);
  Finish();
}

void Message::Start(RequestView request, absl::Time now, absl::Time deadline) {
  LetGo();
  running_ = true;
  cancelled_ = false;
  arrived_ = now;
  came_ = std::min(now, context_->clock->unread_since());
  refusal_ = first_failure_ = absl::OkStatus();
  context_->metrics->in_flight.Add(1);
  request_ = std::move(request);
  if (request_.owner != nullptr) trace_ = request_.owner->BeginTrace(came_, arrived_);
  if (const absl::Status status = Admit(deadline); !status.ok()) {
    // It has been read all the same.
    if (quota() != nullptr) quota()->OweBytes(request_.bytes + request_.values * sizeof(float), arrived_);
    return FinishRefused(status);
  }
  if (const absl::Status status = TakeWork(); !status.ok()) return FinishRefused(status);
  const size_t sequences = request_.sequences;
  const absl::Status room = OrOutOfMemory([this, sequences] {
    while (tasks_.size() < sequences) tasks_.push_back(std::make_unique<SequenceTask>(context_, this, tasks_.size()));
    exchange_->AddResults(sequences);
    return absl::OkStatus();
  });
  if (!room.ok()) return FinishRefused(room);
  unfinished_ = sequences + 1;  // one more, so that it ends after the last has started
  for (size_t i = 0; i < sequences; ++i) {
    if (i + kPrefetched < sequences) tasks_[i + kPrefetched]->Prefetch();
    tasks_[i]->Start(exchange_->SequenceAt(i));
  }
  OnSequenceDone(absl::OkStatus());
}

absl::Status Message::Admit(absl::Time deadline) {
  // A stream that drains reads no more; what it has read is answered.
  const bool streams = method_ == Method::kStreamPredict || method_ == Method::kModelStreamInfer;
  if (!streams && context_->draining->load(std::memory_order_relaxed)) return ShuttingDown();
  if (request_.sequences == 0 || request_.sequences > context_->limits.max_sequences_per_message) {
    return Invalid("the message has ", request_.sequences, " sequences; wanted 1 to ",
                   context_->limits.max_sequences_per_message);
  }
  if (request_.timeout < absl::ZeroDuration()) {
    return Invalid("timeout_ms is ", absl::ToInt64Milliseconds(request_.timeout), "; wanted 0 or more");
  }
  deadline_ = std::min(deadline, arrived_ + request_.timeout);
  absl::StatusOr<ServedModelPtr> model = context_->registry->Find(request_.model, request_.version);
  model_away_ = model.status();
  if (model.ok()) model_ = *std::move(model);
  if (!request_.malformed.ok()) return request_.malformed;
  return !model_away_.ok() && NamesLiveSession() ? absl::OkStatus() : model_away_;
}

absl::Status Message::TakeWork() {
  const Work work = WorkOfRequest();
  absl::Status status = quota() == nullptr ? absl::OkStatus() : quota()->TakeWork(work);
  if (status.ok()) status = budget()->Take(work);
  if (status.ok()) work_ = work;
  return status;
}

TenantQuota* Message::quota() const { return request_.owner == nullptr ? nullptr : request_.owner->quota(); }

absl::string_view Message::tenant() const {
  return request_.owner == nullptr ? absl::string_view() : request_.owner->tenant();
}

WorkBudget* Message::budget() const {
  WorkBudget* const of_client = request_.owner == nullptr ? nullptr : request_.owner->budget();
  return of_client == nullptr ? context_->budget : of_client;
}

void Message::Record(const absl::Status& refusal) const {
  const Caller* const caller = request_.owner == nullptr ? nullptr : request_.owner->caller();
  RecordRefusal(refusal, {LabelOf(method_), request_.model, request_.id, caller}, context_->metrics);
}

Work Message::WorkOfRequest() const {
  size_t input_size = 1, output_size = 1, state_size = 0;
  if (model_ != nullptr) {
    input_size = static_cast<size_t>(model_->spec().input_size());
    output_size = static_cast<size_t>(model_->spec().output_size());
    state_size = static_cast<size_t>(model_->spec().state_size());
  }
  Work work;
  work.steps = request_.values / input_size;
  const size_t rows = request_.last_only ? request_.sequences : work.steps;
  // A sequence has a task, and a state to work in besides its session's.
  work.bytes = request_.bytes + (request_.values + rows * output_size) * sizeof(float) +
               request_.sequences * (sizeof(SequenceTask) + 2 * state_size * sizeof(float));
  return work;
}

bool Message::NamesLiveSession() const {
  for (size_t i = 0; i < request_.sequences && !request_.terms.anew; ++i) {
    const absl::string_view id = exchange_->SequenceAt(i).session_id;
    if (id.empty()) continue;
    const absl::StatusOr<SessionInfo> session = context_->sessions->Get(SessionName(tenant(), id), arrived_);
    if (!session.ok() || session->model != request_.model) continue;
    if (request_.version == 0 || request_.version == session->version) return true;
  }
  return false;
}

void Message::OnSequenceDone(const absl::Status& status) {
  first_failure_.Update(status);
  if (--unfinished_ == 0) Finish();
}

void Message::NoteHeard() {
  if (cancelled_ || !HearsAnswer(came_, deadline_, SteadyNow())) return;
  for (size_t i = 0; i < request_.sequences; ++i) tasks_[i]->OnHeard();
}

void Message::Finish() {
  running_ = false;
  if (refusal_.ok() && !first_failure_.ok()) NoteHeard();
  if (model_ != nullptr) {
    model_->metrics->requests.durations.Observe(method_, first_failure_.code(), SteadyNow() - came_,
                                                trace_ == nullptr ? nullptr : &trace_->span.trace_id);
  }
  if (trace_ != nullptr) EndTrace();
  budget()->GiveBack({std::exchange(work_.steps, 0), 0});
  if (!refusal_.ok()) LetGo();
  context_->metrics->in_flight.Add(-1);
  model_ = nullptr;
  exchange_->OnMessageDone(refusal_);
}

void Message::EndTrace() {
  trace_->ended = SteadyNow();
  trace_->code = first_failure_.code();
  if (model_ != nullptr) trace_->model = model_->model->name;
  trace_->sequences = request_.sequences;
  trace_->timesteps = work_.steps;
  OfferSpans(std::move(*trace_));
  trace_ = nullptr;
}

void Message::LetGo() {
  if (work_.bytes > 0) budget()->GiveBack({0, std::exchange(work_.bytes, 0)});
}

void Message::Cancel() {
  if (!running_) return;
  cancelled_ = true;
  ++unfinished_;  // it must not end, and be gone, while its tasks are told
  for (size_t i = 0; i < request_.sequences; ++i) tasks_[i]->Cancel();
  OnSequenceDone(absl::OkStatus());
}

}  // namespace rondo
