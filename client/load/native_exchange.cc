#include "client/load/native_exchange.h"

#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/load/sample_sequence.h"

namespace rondo::load {
namespace {

std::string CodeName(int code) { return absl::StatusCodeToString(static_cast<absl::StatusCode>(code)); }

}  // namespace

NativeExchange::NativeExchange(const MessageShape& shape, uint64_t run, int lane, uint64_t seed)
    : shape_(shape), positions_(static_cast<size_t>(shape.sessions_per_message), 0) {
  std::mt19937_64 random(seed);
  request_.set_model(shape.model.name());
  request_.set_version(shape.model.version());
  for (int i = 0; i < shape.sessions_per_message; ++i) {
    v1::Sequence* const sequence = request_.add_sequences();
    if (!shape.stateless) sequence->set_session_id(SessionIdOf(run, lane, i));
    FillSequence(shape, &random, sequence);
  }
}

const google::protobuf::MessageLite& NativeExchange::Next(size_t in_flight) {
  if (shape_.stateless) return request_;
  sent_any_ = true;
  const int64_t ahead = static_cast<int64_t>(in_flight) * shape_.timesteps;
  for (size_t i = 0; i < positions_.size(); ++i) {
    request_.mutable_sequences(static_cast<int>(i))->set_position(positions_[i] + ahead);
  }
  return request_;
}

Verdict NativeExchange::OnReply() {
  if (reply_.status().code() != 0) return {CodeName(reply_.status().code()), reply_.status().message()};
  if (reply_.results_size() != request_.sequences_size()) {
    return {"WRONG_REPLY", absl::StrCat("reply has ", reply_.results_size(), " results; the message had ",
                                        request_.sequences_size(), " sequences")};
  }
  Verdict first;
  for (int i = 0; i < reply_.results_size(); ++i) {
    Verdict verdict = JudgeResult(i, reply_.results(i));
    if (first.error.empty()) first = std::move(verdict);
  }
  return first;
}

// Notes the session's new position.
Verdict NativeExchange::JudgeResult(int sequence, const v1::SequenceResult& result) {
  int64_t& position = positions_[static_cast<size_t>(sequence)];
  const int code = result.status().code();
  if (code != 0) {
    if (code == static_cast<int>(absl::StatusCode::kFailedPrecondition)) position = result.next_position();
    if (code == static_cast<int>(absl::StatusCode::kNotFound)) position = 0;
    return {CodeName(code), result.status().message()};
  }
  const int64_t wanted_position = shape_.stateless ? 0 : position + shape_.timesteps;
  const int64_t wanted_values = int64_t{shape_.timesteps} * shape_.model.output_size();
  position = result.next_position();
  if (position != wanted_position) {
    return {"WRONG_REPLY", absl::StrCat("reply has next_position ", position, "; expected ", wanted_position)};
  }
  if (result.values_size() != wanted_values) {
    return {"WRONG_REPLY", absl::StrCat("reply has ", result.values_size(), " values; expected ", wanted_values)};
  }
  return {};
}

std::vector<std::string> NativeExchange::SessionIds() const {
  std::vector<std::string> ids;
  if (!sent_any_) return ids;
  for (const v1::Sequence& sequence : request_.sequences()) ids.push_back(sequence.session_id());
  return ids;
}

}  // namespace rondo::load
