#include "client/load/lane.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace rondo::load {
namespace {

constexpr int64_t kFirstTime = 1577836800;  // 2020-01-01, for models with calendar inputs

std::string CodeName(int code) { return absl::StatusCodeToString(static_cast<absl::StatusCode>(code)); }

// Values that the model accepts: token ids, or its numbers around zero.
void FillValues(const MessageShape& shape, std::mt19937_64& random, v1::Sequence* sequence) {
  const int64_t count = int64_t{shape.timesteps} * shape.model.input_size();
  const int32_t tokens = shape.model.tokens();
  for (int64_t i = 0; i < count; ++i) {
    sequence->add_values(tokens > 0 ? static_cast<float>(std::uniform_int_distribution<int32_t>(0, tokens - 1)(random))
                                    : std::uniform_real_distribution<float>(-1, 1)(random));
  }
  if (!shape.model.needs_times()) return;
  const auto step = std::max<int64_t>(1, static_cast<int64_t>(shape.model.step_seconds()));
  for (int t = 0; t < shape.timesteps; ++t) sequence->add_times(kFirstTime + t * step);
}

}  // namespace

Lane::Lane(const MessageShape& shape, const std::string& id_prefix, int max_in_flight, uint64_t seed)
    : shape_(shape), max_in_flight_(static_cast<size_t>(max_in_flight)), positions_(shape.sessions_per_message, 0) {
  std::mt19937_64 random(seed);
  request_.set_model(shape.model.name());
  request_.set_version(shape.model.version());
  for (int i = 0; i < shape.sessions_per_message; ++i) {
    v1::Sequence* sequence = request_.add_sequences();
    if (!shape.stateless) sequence->set_session_id(absl::StrCat(id_prefix, i));
    FillValues(shape, random, sequence);
  }
}

std::deque<int64_t> Lane::TakeUnsent() { return std::exchange(due_, {}); }

bool Lane::CanSend() const {
  if (retired_ || in_flight_.size() >= max_in_flight_) return false;
  return !resync_ || in_flight_.empty();
}

const v1::PredictRequest& Lane::Send(int64_t now_nanos) {
  resync_ = false;
  if (!shape_.stateless) {
    sent_any_ = true;
    const auto ahead = static_cast<int64_t>(in_flight_.size()) * shape_.timesteps;
    for (size_t i = 0; i < positions_.size(); ++i) {
      request_.mutable_sequences(static_cast<int>(i))->set_position(positions_[i] + ahead);
    }
  }
  if (due_.empty()) {
    in_flight_.push_back(now_nanos);
  } else {
    in_flight_.push_back(due_.front());
    due_.pop_front();
  }
  return request_;
}

Outcome Lane::OnReply(const v1::PredictResponse& reply) {
  if (reply.status().code() != 0) return OnFailure(reply.status().code(), reply.status().message());
  Outcome outcome;
  outcome.counted_from_nanos = TakeInFlight();
  if (reply.results_size() != request_.sequences_size()) {
    outcome.error = "WRONG_REPLY";
    outcome.message = absl::StrCat("reply has ", reply.results_size(), " results; the message had ",
                                   request_.sequences_size(), " sequences");
  } else {
    for (int i = 0; i < reply.results_size(); ++i) CheckResult(i, reply.results(i), &outcome);
  }
  if (outcome.error.empty()) {
    failures_in_a_row_ = 0;
  } else {
    CountFailure(outcome.error);
  }
  return outcome;
}

Outcome Lane::OnFailure(int code, const std::string& message) {
  Outcome outcome{TakeInFlight(), CodeName(code), message};
  CountFailure(outcome.error);
  return outcome;
}

std::vector<std::string> Lane::SessionIds() const {
  std::vector<std::string> ids;
  if (!sent_any_) return ids;
  for (const v1::Sequence& sequence : request_.sequences()) ids.push_back(sequence.session_id());
  return ids;
}

int64_t Lane::TakeInFlight() {
  const int64_t counted_from = in_flight_.front();
  in_flight_.pop_front();
  return counted_from;
}

// Notes the session's new position, and in `outcome` the message's first failure.
void Lane::CheckResult(int sequence, const v1::SequenceResult& result, Outcome* outcome) {
  int64_t& position = positions_[static_cast<size_t>(sequence)];
  std::string error;
  std::string message;
  const int code = result.status().code();
  const int64_t wanted_position = shape_.stateless ? 0 : position + shape_.timesteps;
  const int64_t wanted_values = int64_t{shape_.timesteps} * shape_.model.output_size();
  if (code != 0) {
    error = CodeName(code);
    message = result.status().message();
    if (code == static_cast<int>(absl::StatusCode::kFailedPrecondition)) position = result.next_position();
    if (code == static_cast<int>(absl::StatusCode::kNotFound)) position = 0;
  } else {
    if (result.next_position() != wanted_position) {
      error = "WRONG_REPLY";
      message = absl::StrCat("reply has next_position ", result.next_position(), "; expected ", wanted_position);
    } else if (result.values_size() != wanted_values) {
      error = "WRONG_REPLY";
      message = absl::StrCat("reply has ", result.values_size(), " values; expected ", wanted_values);
    }
    position = result.next_position();
  }
  if (!error.empty() && outcome->error.empty()) {
    outcome->error = std::move(error);
    outcome->message = std::move(message);
  }
}

void Lane::CountFailure(const std::string& error) {
  resync_ = true;
  if (error == "RESOURCE_EXHAUSTED") return;  // what an overload test is after
  if (++failures_in_a_row_ >= kMaxFailures) retired_ = true;
}

}  // namespace rondo::load
