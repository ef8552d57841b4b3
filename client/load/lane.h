#ifndef RONDO_CLIENT_LOAD_LANE_H_
#define RONDO_CLIENT_LOAD_LANE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "client/load/exchange.h"

namespace rondo::load {

// How one message ended.
struct Outcome {
  int64_t counted_from_nanos = 0;  // its scheduled time in an open loop, else when it was sent
  std::string error;               // as Verdict's
  std::string message;
};

// One stream's worth of load: when it sends, and how what it sent was answered; what it says is its exchange's. In an
// open loop a message that is due while the lane is busy waits here, and the wait counts.
//
// Pure policy: no gRPC call, clock or lock; times are nanoseconds of any one clock.
class Lane {
 public:
  // `max_in_flight`: messages sent and not yet answered, >= 1. `steps_per_message`: timesteps of all its sequences.
  Lane(std::unique_ptr<Exchange> exchange, int max_in_flight, int64_t steps_per_message);

  // Open loop: a message is to be sent at `scheduled_nanos`, or as soon after it as the lane can.
  void AddDue(int64_t scheduled_nanos) { due_.push_back(scheduled_nanos); }
  bool has_due() const { return !due_.empty(); }
  // Forgets and returns the times of all that is due and not sent.
  std::deque<int64_t> TakeUnsent();

  // False while the lane has all it may have in flight, waits for replies after a failure, or has given up.
  bool CanSend() const;
  // True while Exchange::creating() is.
  bool creating() const { return exchange_->creating(); }
  // The next message: the oldest one due or, with none due, one of a closed loop, counted from `now_nanos`. Valid until
  // the next call. REQUIRES: CanSend().
  const google::protobuf::MessageLite& Send(int64_t now_nanos);
  // The message that ends the lane's sessions, as one of a closed loop; null if there is nothing to end or the lane has
  // given up. Nothing else is sent after it. REQUIRES: in_flight() is 0.
  const google::protobuf::MessageLite* SendLast(int64_t now_nanos);

  // The message that the next reply is to be read into.
  google::protobuf::MessageLite* reply() { return exchange_->reply(); }
  bool IsGoodbye() const { return exchange_->IsGoodbye(); }
  // The oldest message in flight was answered by reply(). REQUIRES: in_flight() > 0.
  Outcome OnReply();
  // The oldest message in flight failed as a whole. REQUIRES: in_flight() > 0.
  Outcome OnFailure(int code, const std::string& message);
  // Sends nothing more: its stream has ended.
  void Retire() { retired_ = true; }

  size_t in_flight() const { return in_flight_.size(); }
  // A lane gives up after kMaxFailures failures in a row other than refusals for lack of room: hammering a server that
  // is gone measures nothing.
  bool retired() const { return retired_; }
  int64_t steps_per_message() const { return steps_per_message_; }
  std::vector<std::string> SessionIds() const { return exchange_->SessionIds(); }

  static constexpr int kMaxFailures = 100;

 private:
  int64_t TakeInFlight();
  void CountFailure(const std::string& error);

  const std::unique_ptr<Exchange> exchange_;
  const size_t max_in_flight_;
  const int64_t steps_per_message_;
  std::deque<int64_t> due_;        // scheduled times, oldest first
  std::deque<int64_t> in_flight_;  // Outcome::counted_from_nanos, oldest first
  bool resync_ = false;            // a message failed: what the server has is certain again once nothing is in flight
  bool retired_ = false;
  int failures_in_a_row_ = 0;
};

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_LANE_H_
