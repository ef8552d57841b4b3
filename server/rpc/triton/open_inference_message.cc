#include "server/rpc/triton/open_inference_message.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rpc/call/status.h"
#include "server/rpc/triton/open_inference_tensors.h"

namespace rondo {
namespace {

// A stream keeps the memory that its usual messages need, not what its largest one did. Small: an empty entry takes 2
// bytes on the wire and 40 here.
constexpr size_t kMaxKeptBytes = 16 << 10;

// An entry of a map<string, InferParameter>: triton_final_response with bool_param true.
constexpr char kFinalResponse[] = "\x0a\x15triton_final_response\x12\x02\x08\x01";

}  // namespace

void OpenInferenceMessage::Start(absl::Time now, absl::Time deadline) {
  v1::PredictRequest* const predict = predict_.request();
  v1::Sequence* const sequence = predict->add_sequences();
  InferTerms terms;
  int64_t version = 0;
  absl::Status status = ReadVersion(request_.model_version(), &version);
  if (!status.ok()) return predict_.Refuse(now, nullptr, status);
  absl::StatusOr<ServedModelPtr> model = context_->registry->Find(request_.model_name(), version);
  if (!model.ok()) return predict_.Refuse(now, nullptr, model.status());
  status = ReadParameters(request_, sequence, &terms);
  if (status.ok()) status = ReadTensors(request_, *(*model)->model, context_->limits.max_timesteps, sequence);
  if (!status.ok()) return predict_.Refuse(now, *std::move(model), status);
  predict->set_model(request_.model_name());
  predict->set_version(version);
  predict_.Start(now, std::min(deadline, now + terms.timeout), {terms.start, NamesInputs(request_)});
}

void OpenInferenceMessage::OnMessageDone() {
  refusal_ = ResultOfPredict();
  if (!refusal_.ok()) {
    // Clients take an empty text for success.
    if (refusal_.message().empty()) refusal_ = absl::Status(refusal_.code(), absl::StatusCodeToString(refusal_.code()));
    response_.Clear();
    response_.set_error_message(std::string(refusal_.message()));
  } else if (!response_.error_message().empty()) {
    response_.Clear();
  }
  InferResponse* const result = response_.mutable_infer_response();
  result->set_id(request_.id());
  if (method_ == Method::kModelStreamInfer && result->parameters().empty()) result->add_parameters(kFinalResponse);
  if (refusal_.ok()) FillResult();
  owner_->OnMessageDone();
}

absl::Status OpenInferenceMessage::ResultOfPredict() const {
  const absl::Status& failure = predict_.first_failure();
  if (!predict_.refusal().ok() || !absl::IsNotFound(failure)) return failure;
  // The only thing that a sequence does not find is its session: Triton's text, and what became of it.
  const std::string& id = predict_.request().sequences(0).session_id();
  return absl::InvalidArgumentError(
      absl::StrCat("inference request for sequence ", id, " to model '", request_.model_name(),
                   "' must specify the START flag on the first request of the sequence: ", failure.message()));
}

void OpenInferenceMessage::FillResult() {
  InferResponse* const result = response_.mutable_infer_response();
  result->set_model_name(request_.model_name());
  result->set_model_version(absl::StrCat(predict_.VersionOf(0)));
  const v1::SequenceResult& predicted = predict_.response().results(0);
  WriteOutput(request_, predicted, predict_.TimestepsOf(0), result);
}

grpc::Status OpenInferenceMessage::CallStatus(grpc::ServerContext* context) const {
  return ToGrpcStatus(refusal_, context);
}

void OpenInferenceMessage::Clear() {
  const auto& outputs = response_.infer_response().raw_output_contents();
  if (!outputs.empty() && outputs[0].size() > kMaxKeptBytes) response_ = StreamInferResponse();
  if (request_.ByteSizeLong() > kMaxKeptBytes) {
    request_ = InferRequest();
  } else {
    request_.Clear();
  }
  predict_.Clear();
}

}  // namespace rondo
