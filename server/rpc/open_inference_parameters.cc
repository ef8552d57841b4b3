#include <array>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/rpc/open_inference_tensors.h"

namespace rondo {
namespace {

using inference::InferParameter;

absl::Status WrongType(absl::string_view key, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("parameter '", key, "' has the wrong type or value; wanted ", wanted));
}

absl::Status ReadFlag(absl::string_view key, const InferParameter& parameter, bool* flag) {
  if (parameter.parameter_choice_case() != InferParameter::kBoolParam) return WrongType(key, "a bool_param");
  *flag = parameter.bool_param();
  return absl::OkStatus();
}

// An integer id is a session of that name. 0 and the empty text are no id.
absl::Status ReadId(const InferParameter& parameter, std::string* id) {
  switch (parameter.parameter_choice_case()) {
    case InferParameter::kInt64Param:
      // Triton's ids are unsigned: a client casts those from 2^63 on.
      if (parameter.int64_param() != 0) *id = absl::StrCat(static_cast<uint64_t>(parameter.int64_param()));
      return absl::OkStatus();
    case InferParameter::kStringParam:
      *id = parameter.string_param();
      return absl::OkStatus();
    default:
      return WrongType("sequence_id", "an int64_param or a string_param");
  }
}

absl::Status ReadTimeout(const InferParameter& parameter, absl::Duration* timeout) {
  if (parameter.parameter_choice_case() != InferParameter::kInt64Param || parameter.int64_param() < 0) {
    return WrongType("timeout", "an int64_param of 0 or more, in microseconds");
  }
  if (parameter.int64_param() > 0) *timeout = absl::Microseconds(parameter.int64_param());
  return absl::OkStatus();
}

absl::Status CheckPriority(const InferParameter& parameter) {
  const bool is_unsigned = parameter.parameter_choice_case() == InferParameter::kUint64Param;
  const bool is_signed = parameter.parameter_choice_case() == InferParameter::kInt64Param;
  if (is_unsigned || (is_signed && parameter.int64_param() >= 0)) return absl::OkStatus();
  return WrongType("priority", "a uint64_param, or an int64_param of 0 or more");
}

}  // namespace

absl::Status ReadParameters(const inference::ModelInferRequest& request, v1::Sequence* sequence, InferTerms* terms) {
  bool start = false, end = false, unused = false;
  for (const auto& [key, parameter] : request.parameters()) {
    absl::Status status;
    if (key == "sequence_id") {
      status = ReadId(parameter, sequence->mutable_session_id());
    } else if (key == "sequence_start") {
      status = ReadFlag(key, parameter, &start);
    } else if (key == "sequence_end") {
      status = ReadFlag(key, parameter, &end);
    } else if (key == "timeout") {
      status = ReadTimeout(parameter, &terms->timeout);
    } else if (key == "priority") {
      status = CheckPriority(parameter);
    } else if (key == "triton_enable_empty_final_response") {
      status = ReadFlag(key, parameter, &unused);  // every reply here is a final one
    } else if (absl::StartsWith(key, "triton_")) {
      status = absl::InvalidArgumentError(
          absl::StrCat("parameter keys starting with 'triton_' are reserved for Triton usage: '",
                       absl::CHexEscape(absl::string_view(key).substr(0, 64)), "'"));
    }
    if (!status.ok()) return status;
  }
  if ((start || end) && sequence->session_id().empty()) {
    return absl::InvalidArgumentError(
        "sequence_start or sequence_end is set; wanted a non-zero or non-empty sequence_id with it");
  }
  if (start) terms->start = SessionStart::kAnew;
  sequence->set_end_session(end);
  return absl::OkStatus();
}

absl::Status ReadVersion(absl::string_view text, int64_t* version) {
  *version = 0;
  if (text.empty() || (absl::SimpleAtoi(text, version) && *version > 0)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the model version is '", absl::CHexEscape(text.substr(0, 64)),
                                                 "'; wanted a positive number, or nothing"));
}

}  // namespace rondo
