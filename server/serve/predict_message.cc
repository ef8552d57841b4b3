#include "server/serve/predict_message.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/rpc/call/status.h"

namespace rondo {
namespace {

// Floats of values that a message keeps memory for between uses: a stream then holds what its usual messages need, not
// what its largest one did.
constexpr size_t kMaxKeptFloats = 64 << 10;

}  // namespace

void PredictMessage::Open(absl::Time now) {
  running_ = true;
  arrived_ = now;
  refusal_ = first_failure_ = absl::OkStatus();
  context_->metrics->in_flight.Add(1);
}

void PredictMessage::Refuse(absl::Time now, ServedModelPtr model, const absl::Status& status) {
  Open(now);
  model_ = std::move(model);
  FinishRefused(status);
}

void PredictMessage::FinishRefused(const absl::Status& status) {
  refusal_ = first_failure_ = status;
  ToProto(status, response_.mutable_status());
  RecordRefusal(status, context_->metrics);
  Finish();
}

void PredictMessage::Start(absl::Time now, absl::Time deadline, const SessionTerms& terms) {
  Open(now);
  session_terms_ = terms;
  if (const absl::Status status = Admit(deadline); !status.ok()) return FinishRefused(status);
  const int sequences = request_.sequences_size();
  while (tasks_.size() < static_cast<size_t>(sequences)) {
    tasks_.push_back(std::make_unique<SequenceTask>(context_, this));
  }
  for (int i = 0; i < sequences; ++i) response_.add_results();
  unfinished_ = sequences + 1;  // one more, so that it ends after the last has started
  for (int i = 0; i < sequences; ++i) {
    tasks_[static_cast<size_t>(i)]->Start(request_.sequences(i), response_.mutable_results(i));
  }
  OnSequenceDone(absl::OkStatus());
}

absl::Status PredictMessage::Admit(absl::Time deadline) {
  // A stream that drains reads no more; what it has read is answered.
  const bool streams = method_ == Method::kStreamPredict || method_ == Method::kModelStreamInfer;
  if (!streams && context_->draining->load(std::memory_order_relaxed)) {
    return ShuttingDown();
  }
  const size_t sequences = static_cast<size_t>(request_.sequences_size());
  if (sequences == 0 || sequences > context_->limits.max_sequences_per_message) {
    return absl::InvalidArgumentError(absl::StrCat("the message has ", sequences, " sequences; wanted 1 to ",
                                                   context_->limits.max_sequences_per_message));
  }
  if (request_.timeout_ms() < 0) {
    return absl::InvalidArgumentError(absl::StrCat("timeout_ms is ", request_.timeout_ms(), "; wanted 0 or more"));
  }
  deadline_ = deadline;
  if (request_.timeout_ms() > 0) {
    deadline_ = std::min(deadline, arrived_ + absl::Milliseconds(request_.timeout_ms()));
  }
  absl::StatusOr<ServedModelPtr> model = context_->registry->Find(request_.model(), request_.version());
  if (!model.ok()) return model.status();
  model_ = *std::move(model);
  return absl::OkStatus();
}

void PredictMessage::OnSequenceDone(const absl::Status& status) {
  first_failure_.Update(status);
  if (--unfinished_ == 0) Finish();
}

void PredictMessage::Finish() {
  running_ = false;
  context_->metrics->in_flight.Add(-1);
  if (model_ != nullptr) {
    model_->metrics->requests.durations.Observe(method_, first_failure_.code(), absl::Now() - arrived_);
    model_ = nullptr;
  }
  owner_->OnMessageDone();
}

grpc::Status PredictMessage::CallStatus(grpc::ServerContext* context) const {
  const bool speaks_for_all = !refusal_.ok() || response_.results_size() == 1;
  return ToGrpcStatus(speaks_for_all ? first_failure_ : absl::OkStatus(), context);
}

void PredictMessage::Cancel() {
  if (!running_) return;
  ++unfinished_;  // it must not end, and be gone, while its tasks are told
  for (int i = 0; i < request_.sequences_size(); ++i) tasks_[static_cast<size_t>(i)]->Cancel();
  OnSequenceDone(absl::OkStatus());
}

void PredictMessage::Clear() {
  size_t floats = 0;
  for (const v1::Sequence& sequence : request_.sequences()) floats += static_cast<size_t>(sequence.values_size());
  for (const v1::SequenceResult& result : response_.results()) floats += static_cast<size_t>(result.values_size());
  if (floats > kMaxKeptFloats) {
    request_ = v1::PredictRequest();
    response_ = v1::PredictResponse();
    tasks_.clear();
    return;
  }
  request_.Clear();
  response_.Clear();
}

}  // namespace rondo
