#include "server/rpc/native/predict_message.h"

#include "absl/types/span.h"
#include "server/rpc/call/status.h"

namespace rondo {
namespace {

// What a message may take to be kept for the next one: a stream then holds what its usual messages need, not what its
// largest one did.
constexpr size_t kMaxKeptBytes = 256 << 10;
// Each place of a proto keeps the most that was ever in it, so messages that are large at different places add up.
// Therefore the protos are made anew once so many bytes of messages have been in them.
constexpr size_t kMaxUsedBytes = 16 * kMaxKeptBytes;

}  // namespace

void PredictMessage::Start(absl::Time now, absl::Time deadline, const absl::Status& refused) {
  RequestView view;
  view.malformed = refused;
  view.model = request_.model();
  view.version = request_.version();
  view.sequences = static_cast<size_t>(request_.sequences_size());
  for (const v1::Sequence& sequence : request_.sequences()) {
    view.values += static_cast<size_t>(sequence.values_size());
    view.bytes += static_cast<size_t>(sequence.times_size()) * sizeof(int64_t) + sequence.session_id().size();
  }
  request_bytes_ = view.bytes + view.values * sizeof(float);
  view.last_only = request_.last_only();
  if (request_.timeout_ms() != 0) view.timeout = absl::Milliseconds(request_.timeout_ms());
  view.owner = owner_;
  message_.Start(view, now, deadline);
}

SequenceView PredictMessage::SequenceAt(size_t i) const {
  const v1::Sequence& sequence = request_.sequences(static_cast<int>(i));
  SequenceView view;
  view.session_id = sequence.session_id();
  if (sequence.has_position()) view.position = sequence.position();
  view.values = sequence.values();
  view.times = absl::MakeConstSpan(sequence.times().data(), static_cast<size_t>(sequence.times_size()));
  view.end_session = sequence.end_session();
  view.must_exist = sequence.must_exist();
  return view;
}

void PredictMessage::AddResults(size_t count) {
  for (size_t i = 0; i < count; ++i) response_.add_results();
  serials_.assign(count, 0);
}

float* PredictMessage::AllocateValues(size_t i, size_t count) {
  auto* const values = response_.mutable_results(static_cast<int>(i))->mutable_values();
  values->Resize(static_cast<int>(count), 0.0f);
  return values->mutable_data();
}

void PredictMessage::SetResult(size_t i, const SequenceResult& result) {
  v1::SequenceResult* const proto = response_.mutable_results(static_cast<int>(i));
  proto->set_next_position(result.next_position);
  serials_[i] = result.serial;
  if (result.durable_position) proto->set_durable_position(*result.durable_position);
  if (result.status.ok()) return;
  proto->clear_values();
  ToProto(result.status, proto->mutable_status());
}

void PredictMessage::OnMessageDone(const absl::Status& refusal) {
  if (!refusal.ok()) {
    ToProto(refusal, response_.mutable_status());
    response_.clear_results();        // some are there if there was no memory for all
    request_ = v1::PredictRequest();  // whatever is in it was charged to nobody
  }
  owner_->OnMessageDone();
}

absl::Status PredictMessage::status() const {
  const bool speaks_for_all = !refusal().ok() || response_.results_size() == 1;
  return speaks_for_all ? message_.first_failure() : absl::OkStatus();
}

void PredictMessage::Clear() {
  message_.LetGo();
  size_t bytes = request_bytes_;
  for (const v1::SequenceResult& result : response_.results()) {
    bytes += static_cast<size_t>(result.values_size()) * sizeof(float);
    if (result.has_status()) bytes += result.status().message().size();
  }
  used_bytes_ += bytes;
  if (bytes > kMaxKeptBytes || used_bytes_ > kMaxUsedBytes) {
    used_bytes_ = 0;
    request_ = v1::PredictRequest();
    response_ = v1::PredictResponse();
    message_.FreeMemory();
    return;
  }
  request_.Clear();
  response_.Clear();
}

}  // namespace rondo
