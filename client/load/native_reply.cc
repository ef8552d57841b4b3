#include "client/load/native_reply.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace rondo::load {
namespace {

std::string CodeName(int code) { return absl::StatusCodeToString(static_cast<absl::StatusCode>(code)); }

Verdict JudgeResult(const MessageShape& shape, const v1::SequenceResult& result, int64_t* position) {
  const int code = result.status().code();
  if (code != 0) {
    if (code == static_cast<int>(absl::StatusCode::kFailedPrecondition)) *position = result.next_position();
    if (code == static_cast<int>(absl::StatusCode::kNotFound)) *position = 0;
    return {CodeName(code), result.status().message()};
  }
  const int64_t wanted_position = shape.stateless ? 0 : *position + shape.timesteps;
  const int64_t wanted_values = int64_t{shape.timesteps} * shape.model.output_size();
  *position = result.next_position();
  if (*position != wanted_position) {
    return {"WRONG_REPLY", absl::StrCat("reply has next_position ", *position, "; expected ", wanted_position)};
  }
  if (result.values_size() != wanted_values) {
    return {"WRONG_REPLY", absl::StrCat("reply has ", result.values_size(), " values; expected ", wanted_values)};
  }
  return {};
}

}  // namespace

Verdict JudgeNativeReply(const MessageShape& shape, const v1::PredictResponse& reply, absl::Span<int64_t> positions) {
  if (reply.status().code() != 0) return {CodeName(reply.status().code()), reply.status().message()};
  if (reply.results_size() != static_cast<int>(positions.size())) {
    return {"WRONG_REPLY", absl::StrCat("reply has ", reply.results_size(), " results; the message had ",
                                        positions.size(), " sequences")};
  }
  Verdict first;
  for (int i = 0; i < reply.results_size(); ++i) {
    Verdict verdict = JudgeResult(shape, reply.results(i), &positions[static_cast<size_t>(i)]);
    if (first.error.empty()) first = std::move(verdict);
  }
  return first;
}

}  // namespace rondo::load
