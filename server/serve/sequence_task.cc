#include "server/serve/sequence_task.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/prefetch.h"
#include "base/steady_time.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/serve/check_sequence.h"
#include "server/serve/message.h"
#include "server/serve/or_out_of_memory.h"
#include "server/serve/position_refusals.h"
#include "server/serve/request_digest.h"
#include "server/session/session_id.h"

namespace rondo {
namespace {

size_t TimestepsOf(const SequenceView& sequence, const ServedModel& model) {
  return sequence.values.size() / static_cast<size_t>(model.spec().input_size());
}

}  // namespace

void SequenceTask::Start(const SequenceView& sequence) {
  sequence_ = sequence;
  result_ = SequenceResult();
  cancelled_ = looked_again_ = false;
  went_back_to_ = std::nullopt;
  const bool lives = !sequence_.session_id.empty() && !message_->request().terms.anew;
  fits_ = message_->model() == nullptr ? message_->model_away() : FitTo(*message_->model()->model);
  if (!fits_.ok() && !lives) return EndRefused(fits_);
  if (!sequence_.session_id.empty()) return AcquireSession();
  const absl::Status status = OrOutOfMemory([this] {
    lease_ = context_->sessions->AcquireStateless(message_->model());
    return absl::OkStatus();
  });
  status.ok() ? Run() : EndRefused(status);
}

void SequenceTask::Prefetch() const {
  rondo::Prefetch(this, sizeof(*this));
  last_session_.Prefetch();
}

absl::Status SequenceTask::FitTo(const Model& model) {
  const RequestView& request = message_->request();
  if (request.terms.read_by_model) {
    absl::Status status = message_->exchange()->ReadFor(index_, model, &sequence_);
    if (!status.ok()) return status;
  }
  return CheckSequence(sequence_, model, request.last_only, context_->limits);
}

void SequenceTask::AcquireSession() {
  const bool begins = message_->request().terms.anew || (sequence_.position == 0 && !sequence_.must_exist);
  bool creates = fits_.ok() && begins;
  room_ = absl::OkStatus();
  if (creates) {
    room_ = context_->memory->Take(BytesOfSession(static_cast<size_t>(message_->model()->spec().state_size())));
    creates = room_.ok();
  }
  MessageOwner* const owner = message_->request().owner;
  RequestOrder order = owner == nullptr ? RequestOrder() : owner->order();
  order.by_arrival = !sequence_.position;
  auto lease = OrOutOfMemory([this, creates, &order] {
    const ServedModelPtr* const create_as = creates ? &message_->model() : nullptr;
    return wait_.Acquire(message_->tenant(), sequence_.session_id, create_as, message_->arrived(), order);
  });
  if (!lease.ok()) return EndWithoutSession(lease.status());
  if (!lease->has_value()) return;
  lease_ = *std::move(*lease);
  Begin();
}

void SequenceTask::EndWithoutSession(const absl::Status& status) {
  const absl::Status& why = fits_.ok() ? room_ : fits_;
  EndRefused(!why.ok() && absl::IsNotFound(status) ? why : status);
}

void SequenceTask::Proceed(bool) {
  if (stage_ == Stage::kCommitting) {
    if (MessageTrace* const trace = message_->trace()) trace->stored = SteadyNow();
    return EndCommit(wait_.committed());
  }
  absl::StatusOr<SessionLease> lease = wait_.TakeLease();
  if (MessageTrace* const trace = message_->trace()) trace->session_ready = SteadyNow();
  if (!lease.ok()) return EndWithoutSession(lease.status());
  lease_ = *std::move(lease);
  Begin();
}

void SequenceTask::Begin() {
  if (cancelled_) return EndRefused(CancelledByClient());
  const bool anew = message_->request().terms.anew;
  if (const absl::Status status = anew ? CheckRestart() : CheckSession(); !status.ok()) return EndRefused(status);
  last_session_ = lease_.Whereabouts();
  digest_ = RequestDigest(sequence_.values, sequence_.times, message_->request().last_only);
  if (anew) {
    if (lease_.position() > 0 || lease_.model() != message_->model()) lease_.Restart(message_->model());
    return Run();
  }
  if (!sequence_.position && lease_.went_back()) {
    went_back_to_ = lease_.position();
    return EndRefused(WentBack(sequence_.session_id, lease_));
  }
  const auto timesteps = static_cast<int64_t>(TimestepsOf(sequence_, *lease_.model()));
  switch (lease_.Check(sequence_.position, timesteps, digest_)) {
    case PositionCheck::kRun:
      LetAdopt();
      return Run();
    case PositionCheck::kReplay:
      return Replay();
    case PositionCheck::kWrong:
      if (LookAgain(*sequence_.position)) return AcquireSession();
      return EndRefused(WrongPosition(sequence_.session_id, lease_, *sequence_.position));
  }
}

absl::Status SequenceTask::CheckRestart() const {
  const std::string& live = lease_.model()->model->name;
  const std::string& wanted = message_->model()->model->name;
  if (live == wanted) return absl::OkStatus();
  return Refuse(Why::kPosition, absl::StrCat("session '", sequence_.session_id, "' is live on model '", live,
                                             "'; the request starts it on '", wanted,
                                             "', and an id is one session's: end that one, or take another id"));
}

bool SequenceTask::LookAgain(int64_t position) {
  if (looked_again_ || position < lease_.position() || !context_->sessions->has_store()) return false;
  looked_again_ = true;
  return lease_.Discard();
}

absl::Status SequenceTask::CheckSession() {
  const RequestView& request = message_->request();
  const Model& session = *lease_.model()->model;
  const Model* const wanted = message_->model() == nullptr ? nullptr : message_->model()->model.get();
  if (&session == wanted) return fits_;
  const absl::string_view name = wanted == nullptr ? request.model : wanted->name;
  if (session.name != name || (request.version != 0 && request.version != session.version)) {
    const int64_t version = request.version != 0 || wanted == nullptr ? request.version : wanted->version;
    return Refuse(Why::kPosition,
                  absl::StrCat("session '", sequence_.session_id, "' runs model '", session.name, "' version ",
                               session.version, "; the request names '", name, "' version ", version),
                  lease_.position());
  }
  return FitTo(session);
}

void SequenceTask::LetAdopt() {
  if (lease_.model() == message_->model() || message_->request().version != 0) return;
  // Looked up anew: the message may have found an older one than the session runs already.
  ServedModelPtr adopter = FindAdopter(*context_->registry, *lease_.model(), context_->adopt_sessions);
  if (adopter != nullptr) lease_.Adopt(std::move(adopter));
}

void SequenceTask::Replay() {
  const absl::Span<const float> reply = lease_.last_reply();
  const absl::Status status = AllocateReply(reply.size());
  if (!status.ok()) return EndRefused(status);
  std::copy(reply.begin(), reply.end(), reply_.begin());
  result_.next_position = lease_.position();
  result_.serial = lease_.serial();
  SetDurablePosition();
  lease_.Release(message_->arrived());
  Done();
}

void SequenceTask::SetDurablePosition() {
  if (context_->sessions->has_store()) result_.durable_position = lease_.durable_position().value_or(0);
}

absl::Status SequenceTask::AllocateReply(size_t floats) {
  const ServedModel& model = *lease_.model();
  result_.version = model.model->version;
  result_.timesteps = TimestepsOf(sequence_, model);
  return OrOutOfMemory([this, floats] {
    reply_ = absl::MakeSpan(message_->exchange()->AllocateValues(index_, floats), floats);
    return absl::OkStatus();
  });
}

void SequenceTask::Run() {
  const ServedModelPtr& model = lease_.model();
  const ModelSpec& spec = model->spec();
  const bool last_only = message_->request().last_only;
  const size_t timesteps = TimestepsOf(sequence_, *model);
  absl::Status status = AllocateReply((last_only ? 1 : timesteps) * static_cast<size_t>(spec.output_size()));
  if (!status.ok()) return EndRefused(status);
  run_ = SequenceRun();
  run_.network = model->model->network.get();
  run_.probe = &model->metrics->loop;
  run_.observer = this;
  MessageOwner* const owner = message_->request().owner;
  run_.flow = owner == nullptr ? nullptr : owner->flow();
  run_.timesteps = timesteps;
  run_.inputs = sequence_.values.data();
  run_.times = spec.needs_times() ? sequence_.times.data() : nullptr;
  run_.last_only = last_only;
  run_.outputs = reply_.data();
  run_.admitted = message_->arrived();
  run_.deadline = message_->deadline();
  if (MessageTrace* const trace = message_->trace()) run_.first_step_at = &trace->first_step;
  stage_ = Stage::kRunning;
  status = OrOutOfMemory([this] {
    run_.first_state = lease_.state();
    run_.final_state = lease_.next_state();
    if (run_.timesteps > 1) run_.working_state = lease_.working_state();
    lease_.ReserveReply(reply_.size());
    return context_->engine->Admit(&run_);
  });
  if (!status.ok()) EndRefused(status);
}

void SequenceTask::OnFinished(SequenceRun*, const absl::Status& status) {
  if (MessageTrace* const trace = message_->trace()) trace->computed = SteadyNow();
  if (status.ok()) return Commit();
  EndRefused(status);
}

void SequenceTask::Commit() {
  committed_ = CommittedSequence();
  committed_.timesteps = static_cast<int64_t>(run_.timesteps);
  committed_.fingerprint = digest_;
  committed_.reply = reply_;
  if (!sequence_.times.empty()) committed_.last_time = sequence_.times.back();
  committed_.end_session = sequence_.end_session;
  if (!lease_.stateless()) {
    result_.next_position = lease_.position() + committed_.timesteps;
    result_.serial = lease_.serial();
    SetDurablePosition();
  }
  stage_ = Stage::kCommitting;
  const std::optional<absl::Status> status = wait_.Commit(&lease_, committed_, message_->arrived());
  if (status) EndCommit(*status);
}

void SequenceTask::EndCommit(const absl::Status& status) {
  if (status.ok()) {
    if (context_->sessions->durable_replies() && !sequence_.session_id.empty()) {
      result_.durable_position = result_.next_position;
    }
    return Done();
  }
  EndRefused(status);
}

void SequenceTask::Cancel() {
  cancelled_ = true;
  if (stage_ == Stage::kRunning) run_.cancelled = true;
  if (wait_.Cancel()) EndRefused(CancelledByClient());
}

void SequenceTask::EndRefused(absl::Status status) {
  if (lease_) lease_.Release(message_->arrived());
  result_ = SequenceResult();
  const Refusal refusal = RefusalOf(status);
  if (refusal.why == Why::kNotFound && refusal.next_position) {
    // Without a store a session that is unknown has never been here: there is nothing to go on with.
    if (context_->sessions->has_store()) {
      result_.durable_position = refusal.next_position;
    } else {
      status = Refuse(Why::kNotFound, status.message());
    }
  } else if (refusal.next_position) {
    result_.next_position = *refusal.next_position;
  }
  message_->Record(status);
  result_.status = std::move(status);
  Done();
}

void SequenceTask::OnHeard() {
  if (!went_back_to_) return;
  context_->sessions->HeardThatItWentBack(SessionName(message_->tenant(), sequence_.session_id), *went_back_to_);
}

void SequenceTask::Done() {
  stage_ = Stage::kIdle;
  message_->exchange()->SetResult(index_, result_);
  message_->OnSequenceDone(result_.status);
}

}  // namespace rondo
