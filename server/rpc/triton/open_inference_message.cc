#include "server/rpc/triton/open_inference_message.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"

namespace rondo {
namespace {

// A stream keeps the memory that its usual messages need, not what its largest one did. Small: an empty entry takes 2
// bytes on the wire and 40 here.
constexpr size_t kMaxKeptMessageBytes = 16 << 10;
// Each place of a proto keeps the most that was ever in it, so requests that are large at different places add up.
// Therefore the proto is made anew once so many bytes of requests have been in it.
constexpr size_t kMaxUsedMessageBytes = 16 * kMaxKeptMessageBytes;

// An entry of a map<string, InferParameter>: triton_final_response with bool_param true.
constexpr char kFinalResponse[] = "\x0a\x15triton_final_response\x12\x02\x08\x01";

}  // namespace

void OpenInferenceMessage::Start(absl::Time now, absl::Time deadline) {
  RequestView view;
  view.malformed = ReadVersion(request_.model_version(), &view.version);
  if (view.malformed.ok()) view.malformed = ReadParameters(request_, &terms_);
  view.model = request_.model_name();
  view.sequences = 1;
  view.values = CountNumbers(request_);
  request_bytes_ = request_.ByteSizeLong();
  view.bytes = request_bytes_ - std::min(request_bytes_, view.values * sizeof(float));
  view.timeout = terms_.timeout;
  view.terms = {terms_.start, /*read_by_model=*/true};
  view.id = request_.id();
  view.owner = owner_;
  message_.Start(std::move(view), now, deadline);
}

absl::Status OpenInferenceMessage::ReadFor(size_t, const Model& model, SequenceView* sequence) {
  absl::Status status = ReadTensors(request_, model, context_->limits.max_timesteps, &tensors_);
  sequence->values = tensors_.values;
  sequence->times = tensors_.times;
  return status;
}

SequenceView OpenInferenceMessage::SequenceAt(size_t) const {
  SequenceView view;
  view.session_id = terms_.session_id;
  view.end_session = terms_.end;
  return view;
}

float* OpenInferenceMessage::AllocateValues(size_t, size_t count) {
  if (!response_.error_message().empty()) response_.Clear();  // of an earlier request
  return AllocateOutput(count, response_.mutable_infer_response());
}

void OpenInferenceMessage::OnMessageDone(const absl::Status&) {
  refusal_ = Failure();
  if (!refusal_.ok()) {
    // Clients take an empty text for success.
    if (refusal_.message().empty()) refusal_ = absl::Status(refusal_.code(), absl::StatusCodeToString(refusal_.code()));
    response_.Clear();
    response_.set_error_message(std::string(refusal_.message()));
  }
  InferResponse* const result = response_.mutable_infer_response();
  result->set_id(request_.id());
  if (method_ == Method::kModelStreamInfer && result->parameters().empty()) result->add_parameters(kFinalResponse);
  if (refusal_.ok()) {
    result->set_model_name(request_.model_name());
    result->set_model_version(absl::StrCat(result_.version));
    ShapeOutput(request_, result_.timesteps, result);
  } else {
    request_ = InferRequest();  // whatever is in it may have been charged to nobody
  }
  owner_->OnMessageDone();
}

absl::Status OpenInferenceMessage::Failure() const {
  const absl::Status& failure = message_.first_failure();
  if (!message_.refusal().ok() || !absl::IsNotFound(failure)) return failure;
  // The only thing that a sequence does not find is its session: Triton's text, and what became of it.
  return Invalid("inference request for sequence ", terms_.session_id, " to model '", request_.model_name(),
                 "' must specify the START flag on the first request of the sequence: ", failure.message());
}

void OpenInferenceMessage::Clear() {
  message_.LetGo();
  const auto& outputs = response_.infer_response().raw_output_contents();
  if (!outputs.empty() && outputs[0].size() > kMaxKeptMessageBytes) response_ = StreamInferResponse();
  used_bytes_ += request_bytes_;
  if (request_bytes_ > kMaxKeptMessageBytes || used_bytes_ > kMaxUsedMessageBytes) {
    used_bytes_ = 0;
    request_ = InferRequest();
  } else {
    request_.Clear();
  }
  if (tensors_.value_buffer.capacity() * sizeof(float) > kMaxKeptMessageBytes) tensors_ = InferTensors();
  if (tensors_.time_buffer.capacity() * sizeof(int64_t) > kMaxKeptMessageBytes) tensors_ = InferTensors();
}

}  // namespace rondo
