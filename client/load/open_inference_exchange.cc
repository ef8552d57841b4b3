#include "client/load/open_inference_exchange.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/load/sample_sequence.h"

namespace rondo::load {
namespace {

using InputTensor = inference::ModelInferRequest::InferInputTensor;

// Positive and not 0, as Triton's integer ids are.
int64_t IntegerIdOf(uint64_t run, int lane) { return static_cast<int64_t>(run >> 2) + lane + 1; }

InputTensor* AddInput(const char* name, const char* datatype, int64_t rows, inference::ModelInferRequest* request) {
  InputTensor* const input = request->add_inputs();
  input->set_name(name);
  input->set_datatype(datatype);
  input->add_shape(rows);
  return input;
}

// Both sides are little-endian, as the protocol is.
template <typename Numbers>
void AddRaw(const Numbers& numbers, inference::ModelInferRequest* request) {
  request->add_raw_input_contents(static_cast<const void*>(numbers.data()),
                                  static_cast<size_t>(numbers.size()) * sizeof(*numbers.data()));
}

}  // namespace

OpenInferenceExchange::OpenInferenceExchange(const MessageShape& shape, uint64_t run, int lane, uint64_t seed)
    : shape_(shape) {
  request_.set_model_name(shape.model.name());
  if (!foreign()) request_.set_model_version(absl::StrCat(shape.model.version()));
  if (!shape.stateless) AddParameters(run, lane);
  AddTensors(seed);
  request_.add_outputs()->set_name(foreign() ? shape.foreign.output : "OUTPUT");
}

void OpenInferenceExchange::AddParameters(uint64_t run, int lane) {
  auto& parameters = *request_.mutable_parameters();
  if (shape_.string_ids) {
    session_id_ = SessionIdOf(run, lane, 0);
    parameters["sequence_id"].set_string_param(session_id_);
  } else {
    session_id_ = absl::StrCat(IntegerIdOf(run, lane));
    parameters["sequence_id"].set_int64_param(IntegerIdOf(run, lane));
  }
  parameters["triton_enable_empty_final_response"].set_bool_param(false);
  start_ = &parameters["sequence_start"];
  end_ = &parameters["sequence_end"];
  start_->set_bool_param(false);
  end_->set_bool_param(false);
}

void OpenInferenceExchange::AddTensors(uint64_t seed) {
  std::mt19937_64 random(seed);
  v1::Sequence sequence;
  FillSequence(shape_, &random, &sequence);
  if (foreign()) {
    InputTensor* const input = AddInput(shape_.foreign.input.c_str(), "FP32", shape_.foreign.shape.front(), &request_);
    for (size_t i = 1; i < shape_.foreign.shape.size(); ++i) input->add_shape(shape_.foreign.shape[i]);
    return AddRaw(sequence.values(), &request_);
  }
  const bool tokens = shape_.model.tokens() > 0;
  AddInput("INPUT", tokens ? "INT64" : "FP32", shape_.timesteps, &request_)->add_shape(shape_.model.input_size());
  if (tokens) {
    AddRaw(std::vector<int64_t>(sequence.values().begin(), sequence.values().end()), &request_);
  } else {
    AddRaw(sequence.values(), &request_);
  }
  if (!shape_.model.needs_times()) return;
  AddInput("TIMES", "INT64", shape_.timesteps, &request_);
  AddRaw(sequence.times(), &request_);
}

const google::protobuf::MessageLite& OpenInferenceExchange::Next(size_t) {
  request_.set_id(absl::StrCat(++sent_));
  if (!shape_.stateless) {
    start_->set_bool_param(std::exchange(starts_, false));
    alive_ = true;
  }
  return request_;
}

const google::protobuf::MessageLite* OpenInferenceExchange::Last() {
  if (!alive_) return nullptr;
  end_->set_bool_param(true);
  return &Next(0);
}

google::protobuf::MessageLite* OpenInferenceExchange::reply() {
  if (shape_.unary) return reply_.mutable_infer_response();
  return &reply_;
}

Verdict OpenInferenceExchange::OnReply() {
  const Verdict verdict = JudgeReply(absl::StrCat(++answered_));
  if (!verdict.error.empty()) {
    starts_ = true;
  } else if (end_ != nullptr && end_->bool_param()) {
    alive_ = false;
  }
  return verdict;
}

Verdict OpenInferenceExchange::JudgeReply(const std::string& wanted_id) const {
  if (!reply_.error_message().empty()) return {"INFER_ERROR", reply_.error_message()};
  const inference::ModelInferResponse& response = reply_.infer_response();
  if (response.id() != wanted_id) {
    return {"WRONG_REPLY", absl::StrCat("reply has id ", response.id(), "; expected ", wanted_id)};
  }
  const size_t wanted_bytes =
      static_cast<size_t>(shape_.timesteps) * static_cast<size_t>(shape_.model.output_size()) * 4;
  const size_t bytes = response.raw_output_contents_size() == 1 ? response.raw_output_contents(0).size() : 0;
  if (response.outputs_size() == 1 && (foreign() ? bytes > 0 : bytes == wanted_bytes)) return {};
  return {"WRONG_REPLY", absl::StrCat("reply has ", response.outputs_size(), " outputs and ", bytes,
                                      " bytes of raw contents; expected 1 and ", wanted_bytes)};
}

void OpenInferenceExchange::OnFailure() {
  ++answered_;
  starts_ = true;
}

std::vector<std::string> OpenInferenceExchange::SessionIds() const {
  return alive_ ? std::vector<std::string>{session_id_} : std::vector<std::string>();
}

}  // namespace rondo::load
