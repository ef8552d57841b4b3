#include "client/load/lane.h"

#include <utility>

#include "absl/status/status.h"

namespace rondo::load {

Lane::Lane(std::unique_ptr<Exchange> exchange, int max_in_flight, int64_t steps_per_message)
    : exchange_(std::move(exchange)),
      max_in_flight_(static_cast<size_t>(max_in_flight)),
      steps_per_message_(steps_per_message) {}

std::deque<int64_t> Lane::TakeUnsent() { return std::exchange(due_, {}); }

bool Lane::CanSend() const {
  if (retired_ || in_flight_.size() >= max_in_flight_) return false;
  return !resync_ || in_flight_.empty();
}

const google::protobuf::MessageLite& Lane::Send(int64_t now_nanos) {
  resync_ = false;
  const google::protobuf::MessageLite& request = exchange_->Next(in_flight_.size());
  if (due_.empty()) {
    in_flight_.push_back(now_nanos);
  } else {
    in_flight_.push_back(due_.front());
    due_.pop_front();
  }
  return request;
}

const google::protobuf::MessageLite* Lane::SendLast(int64_t now_nanos) {
  const google::protobuf::MessageLite* const request = retired_ ? nullptr : exchange_->Last();
  if (request != nullptr) in_flight_.push_back(now_nanos);
  retired_ = true;
  return request;
}

Outcome Lane::OnReply() {
  Outcome outcome;
  outcome.counted_from_nanos = TakeInFlight();
  Verdict verdict = exchange_->OnReply();
  outcome.error = std::move(verdict.error);
  outcome.message = std::move(verdict.message);
  if (outcome.error.empty()) {
    failures_in_a_row_ = 0;
  } else {
    CountFailure(outcome.error);
  }
  return outcome;
}

Outcome Lane::OnFailure(int code, const std::string& message) {
  exchange_->OnFailure();
  Outcome outcome{TakeInFlight(), absl::StatusCodeToString(static_cast<absl::StatusCode>(code)), message};
  CountFailure(outcome.error);
  return outcome;
}

int64_t Lane::TakeInFlight() {
  const int64_t counted_from = in_flight_.front();
  in_flight_.pop_front();
  return counted_from;
}

void Lane::CountFailure(const std::string& error) {
  resync_ = true;
  if (error == "RESOURCE_EXHAUSTED") return;  // what an overload test is after
  if (++failures_in_a_row_ >= kMaxFailures) retired_ = true;
}

}  // namespace rondo::load
