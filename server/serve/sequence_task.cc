#include "server/serve/sequence_task.h"

#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/rpc/call/status.h"
#include "server/serve/check_sequence.h"
#include "server/serve/predict_message.h"

namespace rondo {
namespace {

absl::Span<const int64_t> TimesOf(const v1::Sequence& sequence) {
  return absl::MakeConstSpan(sequence.times().data(), static_cast<size_t>(sequence.times_size()));
}

absl::Status CheckReplySize(const v1::Sequence& sequence, const ModelSpec& spec, bool last_only, size_t max_bytes) {
  const size_t rows = last_only ? 1 : static_cast<size_t>(sequence.values_size() / spec.input_size());
  const size_t bytes = rows * static_cast<size_t>(spec.output_size()) * sizeof(float);
  if (bytes <= max_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the reply would have ", bytes, " bytes; a message has at most ",
                                                 max_bytes, ": send fewer timesteps, or ask for last_only"));
}

absl::Status CheckSequence(const v1::Sequence& sequence, const Model& model, bool last_only, const RpcLimits& limits) {
  if (sequence.session_id().empty()) {
    if (sequence.end_session()) return absl::InvalidArgumentError("end_session is set, but session_id is empty");
    if (sequence.position() != 0) {
      return absl::InvalidArgumentError(absl::StrCat("position is ", sequence.position(), ", but session_id is empty"));
    }
  }
  const absl::Span<const float> values = sequence.values();
  absl::Status status = CheckTimesteps(values, TimesOf(sequence), model, limits.max_timesteps);
  if (!status.ok()) return status;
  return CheckReplySize(sequence, model.spec(), last_only, limits.max_message_bytes);
}

bool SameInputs(const ModelSpec& a, const ModelSpec& b) {
  return absl::c_equal(a.inputs, b.inputs, [](const auto& x, const auto& y) { return x.name == y.name; });
}

}  // namespace

void SequenceTask::Start(const v1::Sequence& sequence, v1::SequenceResult* result) {
  sequence_ = &sequence;
  result_ = result;
  cancelled_ = looked_again_ = false;
  const bool last_only = message_->request()->last_only();
  const absl::Status status = CheckSequence(sequence, *message_->model()->model, last_only, context_->limits);
  if (!status.ok()) return EndRefused(status);
  fingerprint_ = FingerprintOf(sequence.values(), TimesOf(sequence), last_only);
  if (!sequence.session_id().empty()) return AcquireSession();
  lease_ = context_->sessions->AcquireStateless(message_->model());
  Run();
}

void SequenceTask::AcquireSession() {
  const bool creates = message_->session_terms().anew || (sequence_->has_position() && sequence_->position() == 0);
  stage_ = Stage::kWaiting;
  absl::StatusOr<std::optional<SessionLease>> lease = context_->sessions->Acquire(
      sequence_->session_id(), creates ? &message_->model() : nullptr, this, message_->arrived());
  if (!lease.ok()) return EndRefused(lease.status());
  if (!lease->has_value()) return;
  lease_ = *std::move(*lease);
  Begin();
}

void SequenceTask::OnLease(absl::StatusOr<SessionLease> lease) {
  granted_ = std::move(lease);
  context_->loop->Post(this);
}

void SequenceTask::OnCommitted(const absl::Status& status) {
  commit_status_ = status;
  context_->loop->Post(this);
}

void SequenceTask::Proceed(bool) {
  if (stage_ == Stage::kCommitting) return EndCommit(commit_status_);
  absl::StatusOr<SessionLease> lease = std::exchange(granted_, absl::CancelledError());
  if (!lease.ok()) return EndRefused(lease.status());
  lease_ = *std::move(lease);
  Begin();
}

void SequenceTask::Begin() {
  if (cancelled_) return EndRefused(CancelledByClient());
  if (message_->session_terms().anew) {
    if (const absl::Status status = CheckRestart(); !status.ok()) return EndRefused(status);
    if (lease_.position() > 0 || lease_.model() != message_->model()) lease_.Restart(message_->model());
    return Run();
  }
  if (const absl::Status status = CheckSession(); !status.ok()) return EndRefused(status);
  const std::optional<int64_t> position =
      sequence_->has_position() ? std::optional<int64_t>(sequence_->position()) : std::nullopt;
  const int64_t timesteps = sequence_->values_size() / lease_.model()->spec().input_size();
  switch (lease_.Check(position, timesteps, fingerprint_)) {
    case PositionCheck::kRun:
      LetAdopt();
      return Run();
    case PositionCheck::kReplay:
      return Replay();
    case PositionCheck::kWrong:
      if (LookAgain(*position)) return AcquireSession();
      return EndRefused(Refuse(Why::kPosition,
                               absl::StrCat("session '", sequence_->session_id(), "' expects position ",
                                            lease_.position(), "; the request starts at ", *position),
                               lease_.position()));
  }
}

absl::Status SequenceTask::CheckRestart() const {
  const std::string& live = lease_.model()->model->name;
  const std::string& wanted = message_->model()->model->name;
  if (live == wanted) return absl::OkStatus();
  return Refuse(Why::kPosition, absl::StrCat("session '", sequence_->session_id(), "' is live on model '", live,
                                             "'; the request starts it on '", wanted,
                                             "', and an id is one session's: end that one, or take another id"));
}

bool SequenceTask::LookAgain(int64_t position) {
  if (looked_again_ || position < lease_.position() || !context_->sessions->has_store()) return false;
  looked_again_ = true;
  return lease_.Discard();
}

absl::Status SequenceTask::CheckSession() const {
  const Model& session = *lease_.model()->model;
  const Model& wanted = *message_->model()->model;
  if (&session == &wanted) return absl::OkStatus();
  const int64_t version = message_->request()->version();
  if (session.name != wanted.name || (version != 0 && version != session.version)) {
    return Refuse(Why::kPosition,
                  absl::StrCat("session '", sequence_->session_id(), "' runs model '", session.name, "' version ",
                               session.version, "; the request names '", wanted.name, "' version ",
                               version != 0 ? version : wanted.version),
                  lease_.position());
  }
  if (message_->session_terms().named_inputs && !SameInputs(session.spec(), wanted.spec())) {
    return Refuse(Why::kPosition,
                  absl::StrCat("session '", sequence_->session_id(), "' runs model '", session.name, "' version ",
                               session.version, ", whose inputs are not those of version ", wanted.version,
                               "; name its version in the request"),
                  lease_.position());
  }
  return CheckSequence(*sequence_, session, message_->request()->last_only(), context_->limits);
}

void SequenceTask::LetAdopt() {
  if (lease_.model() == message_->model() || message_->request()->version() != 0) return;
  // Looked up anew: the message may have found an older one than the session runs already.
  ServedModelPtr adopter = FindAdopter(*context_->registry, *lease_.model(), context_->adopt_sessions);
  if (adopter != nullptr) lease_.Adopt(std::move(adopter));
}

void SequenceTask::Replay() {
  const absl::Span<const float> reply = lease_.last_reply();
  result_->mutable_values()->Add(reply.begin(), reply.end());
  result_->set_next_position(lease_.position());
  SetDurablePosition();
  lease_.Release(message_->arrived());
  Done();
}

void SequenceTask::SetDurablePosition() {
  if (context_->sessions->has_store()) result_->set_durable_position(lease_.durable_position().value_or(0));
}

void SequenceTask::Run() {
  const ServedModelPtr& model = lease_.model();
  const ModelSpec& spec = model->spec();
  version_ = model->model->version;
  run_ = SequenceRun();
  run_.network = model->model->network.get();
  run_.probe = &model->metrics->loop;
  run_.observer = this;
  run_.timesteps = static_cast<size_t>(sequence_->values_size() / spec.input_size());
  run_.inputs = sequence_->values().data();
  run_.times = spec.needs_times() ? sequence_->times().data() : nullptr;
  run_.last_only = message_->request()->last_only();
  const size_t rows = run_.last_only ? 1 : run_.timesteps;
  result_->mutable_values()->Resize(static_cast<int>(rows * static_cast<size_t>(spec.output_size())), 0.0f);
  run_.outputs = result_->mutable_values()->mutable_data();
  run_.first_state = lease_.state();
  run_.final_state = lease_.next_state();
  if (run_.timesteps > 1) run_.working_state = lease_.working_state();
  run_.admitted = message_->arrived();
  run_.deadline = message_->deadline();
  stage_ = Stage::kRunning;
  const absl::Status status = context_->loop->engine().Admit(&run_);
  if (!status.ok()) EndRefused(status);
}

void SequenceTask::OnFinished(SequenceRun*, const absl::Status& status) {
  if (status.ok()) return Commit();
  EndRefused(status);
}

void SequenceTask::Commit() {
  committed_ = CommittedSequence();
  committed_.timesteps = static_cast<int64_t>(run_.timesteps);
  committed_.fingerprint = fingerprint_;
  committed_.reply = result_->values();
  if (sequence_->times_size() > 0) committed_.last_time = *sequence_->times().rbegin();
  committed_.end_session = sequence_->end_session();
  if (!lease_.stateless()) {
    result_->set_next_position(lease_.position() + committed_.timesteps);
    SetDurablePosition();
  }
  stage_ = Stage::kCommitting;
  const std::optional<absl::Status> status = lease_.Commit(committed_, message_->arrived(), this);
  if (status) EndCommit(*status);
}

void SequenceTask::EndCommit(const absl::Status& status) {
  if (status.ok()) {
    if (context_->sessions->durable_replies() && !sequence_->session_id().empty()) {
      result_->set_durable_position(result_->next_position());
    }
    return Done();
  }
  result_->clear_next_position();
  result_->clear_durable_position();
  EndRefused(status);
}

void SequenceTask::Cancel() {
  cancelled_ = true;
  if (stage_ == Stage::kRunning) run_.cancelled = true;
  if (stage_ == Stage::kWaiting && context_->sessions->CancelWait(sequence_->session_id(), this)) {
    EndRefused(CancelledByClient());
  }
}

void SequenceTask::EndRefused(absl::Status status) {
  if (lease_) lease_.Release(message_->arrived());
  result_->clear_values();
  const Refusal refusal = RefusalOf(status);
  if (refusal.why == Why::kNotFound && refusal.next_position) {
    // Without a store a session that is unknown has never been here: there is nothing to go on with.
    if (context_->sessions->has_store()) {
      result_->set_durable_position(*refusal.next_position);
    } else {
      status = Refuse(Why::kNotFound, status.message());
    }
  } else if (refusal.next_position) {
    result_->set_next_position(*refusal.next_position);
  }
  ToProto(status, result_->mutable_status());
  stage_ = Stage::kDone;
  RecordRefusal(status, context_->metrics);
  message_->OnSequenceDone(status);
}

void SequenceTask::Done() {
  stage_ = Stage::kDone;
  message_->OnSequenceDone(absl::OkStatus());
}

}  // namespace rondo
