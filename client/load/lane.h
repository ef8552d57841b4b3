#ifndef RONDO_CLIENT_LOAD_LANE_H_
#define RONDO_CLIENT_LOAD_LANE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "rondo/v1/inference.pb.h"
#include "rondo/v1/models.pb.h"

namespace rondo::load {

// What every message of a run looks like.
struct MessageShape {
  v1::Model model;
  int sessions_per_message = 1;
  int timesteps = 1;  // of each sequence
  bool stateless = false;
};

// How one message ended.
struct Outcome {
  int64_t counted_from_nanos = 0;  // its scheduled time in an open loop, else when it was sent
  std::string error;               // a google.rpc.Code's name or "WRONG_REPLY"; empty: answered as it should be
  std::string message;             // what the server said, or what is wrong with the reply
};

// One stream's worth of load: its sessions, the one message that steps them all, and the times of what is due and of
// what is in flight. In an open loop a message that is due while the lane is busy waits here, and the wait counts.
//
// Pure policy: no gRPC call, clock or lock; times are nanoseconds of any one clock.
class Lane {
 public:
  // `max_in_flight`: messages sent and not yet answered, >= 1. Session ids are `id_prefix` and a number. `seed` fixes
  // the values, which are the same in every message.
  Lane(const MessageShape& shape, const std::string& id_prefix, int max_in_flight, uint64_t seed);

  // Open loop: a message is to be sent at `scheduled_nanos`, or as soon after it as the lane can.
  void AddDue(int64_t scheduled_nanos) { due_.push_back(scheduled_nanos); }
  bool has_due() const { return !due_.empty(); }
  // Forgets and returns the times of all that is due and not sent.
  std::deque<int64_t> TakeUnsent();

  // False while the lane has all it may have in flight, waits for replies after a failure, or has given up.
  bool CanSend() const;
  // The next message: the oldest one due or, with none due, one of a closed loop, counted from `now_nanos`. Valid until
  // the next call. REQUIRES: CanSend().
  const v1::PredictRequest& Send(int64_t now_nanos);

  // The oldest message in flight was answered. REQUIRES: in_flight() > 0.
  Outcome OnReply(const v1::PredictResponse& reply);
  // The oldest message in flight failed as a whole. REQUIRES: in_flight() > 0.
  Outcome OnFailure(int code, const std::string& message);
  // Sends nothing more: its stream has ended.
  void Retire() { retired_ = true; }

  size_t in_flight() const { return in_flight_.size(); }
  // A lane gives up after kMaxFailures failures in a row other than refusals for lack of room: hammering a server that
  // is gone measures nothing.
  bool retired() const { return retired_; }
  int64_t steps_per_message() const { return int64_t{shape_.sessions_per_message} * shape_.timesteps; }
  // Of the sessions that may live on the server; empty before the first message and for a stateless lane.
  std::vector<std::string> SessionIds() const;

  static constexpr int kMaxFailures = 100;

 private:
  int64_t TakeInFlight();
  void CheckResult(int sequence, const v1::SequenceResult& result, Outcome* outcome);
  void CountFailure(const std::string& error);

  const MessageShape shape_;
  const size_t max_in_flight_;
  v1::PredictRequest request_;
  std::vector<int64_t> positions_;  // each session's next position, as of the last reply
  std::deque<int64_t> due_;         // scheduled times, oldest first
  std::deque<int64_t> in_flight_;   // Outcome::counted_from_nanos, oldest first
  bool resync_ = false;             // a message failed: positions are certain again once nothing is in flight
  bool sent_any_ = false;
  bool retired_ = false;
  int failures_in_a_row_ = 0;
};

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_LANE_H_
