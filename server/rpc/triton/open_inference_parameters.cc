#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "server/rpc/triton/infer_parameter.h"
#include "server/rpc/triton/open_inference_tensors.h"

namespace rondo {
namespace {

using Type = InferParameter::Type;

absl::Status WrongType(absl::string_view key, absl::string_view wanted) {
  return Invalid("parameter '", key, "' has the wrong type or value; wanted ", wanted);
}

absl::Status ReadFlag(const InferParameter& parameter, bool* flag) {
  if (parameter.type != Type::kBool) return WrongType(parameter.key, "a bool_param");
  *flag = parameter.flag();
  return absl::OkStatus();
}

// An integer id is a session of that name. 0 and the empty text are no id.
absl::Status ReadId(const InferParameter& parameter, std::string* id) {
  switch (parameter.type) {
    case Type::kInt64:
      // Triton's ids are unsigned: a client casts those from 2^63 on.
      *id = parameter.number != 0 ? absl::StrCat(parameter.number) : std::string();
      return absl::OkStatus();
    case Type::kString:
      id->assign(parameter.text.data(), parameter.text.size());
      return absl::OkStatus();
    default:
      return WrongType("sequence_id", "an int64_param or a string_param");
  }
}

absl::Status ReadTimeout(const InferParameter& parameter, absl::Duration* timeout) {
  if (parameter.type != Type::kInt64 || parameter.integer() < 0) {
    return WrongType("timeout", "an int64_param of 0 or more, in microseconds");
  }
  if (parameter.integer() > 0) *timeout = absl::Microseconds(parameter.integer());
  return absl::OkStatus();
}

absl::Status CheckPriority(const InferParameter& parameter) {
  if (parameter.type == Type::kUint64) return absl::OkStatus();
  if (parameter.type == Type::kInt64 && parameter.integer() >= 0) return absl::OkStatus();
  return WrongType("priority", "a uint64_param, or an int64_param of 0 or more");
}

// What other parameters say is for models, of which none here reads any.
absl::Status ReadKnown(const InferParameter& parameter, InferTerms* terms) {
  const absl::string_view key = parameter.key;
  if (key == "sequence_id") return ReadId(parameter, &terms->session_id);
  if (key == "sequence_start") return ReadFlag(parameter, &terms->start);
  if (key == "sequence_end") return ReadFlag(parameter, &terms->end);
  if (key == "timeout") return ReadTimeout(parameter, &terms->timeout);
  if (key == "priority") return CheckPriority(parameter);
  bool unused = false;
  if (key == "triton_enable_empty_final_response") return ReadFlag(parameter, &unused);  // every reply is a final one
  if (!absl::StartsWith(key, "triton_")) return absl::OkStatus();
  return Invalid("parameter keys starting with 'triton_' are reserved for Triton usage: '",
                 absl::CHexEscape(key.substr(0, 64)), "'");
}

}  // namespace

absl::Status ReadParameters(const InferRequest& request, InferTerms* terms) {
  terms->session_id.clear();  // its memory stays
  terms->start = terms->end = false;
  terms->timeout = absl::InfiniteDuration();
  for (const std::string& entry : request.parameters()) {
    InferParameter parameter;
    if (!ReadParameter(entry, &parameter)) return absl::InvalidArgumentError("an entry of parameters is malformed");
    if (absl::Status status = ReadKnown(parameter, terms); !status.ok()) return status;
  }
  if ((terms->start || terms->end) && terms->session_id.empty()) {
    return absl::InvalidArgumentError(
        "sequence_start or sequence_end is set; wanted a non-zero or non-empty sequence_id with it");
  }
  return absl::OkStatus();
}

absl::Status ReadVersion(absl::string_view text, int64_t* version) {
  *version = 0;
  if (text.empty() || (absl::SimpleAtoi(text, version) && *version > 0)) return absl::OkStatus();
  return Invalid("the model version is '", absl::CHexEscape(text.substr(0, 64)),
                 "'; wanted a positive number, or nothing");
}

}  // namespace rondo
