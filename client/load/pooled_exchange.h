#ifndef RONDO_CLIENT_LOAD_POOLED_EXCHANGE_H_
#define RONDO_CLIENT_LOAD_POOLED_EXCHANGE_H_

#include <deque>
#include <random>
#include <string>
#include <vector>

#include "client/load/exchange.h"
#include "rondo/v1/inference.pb.h"

namespace rondo::load {

// rondo.v1.Inference with many more sessions than a message has sequences: each message steps some of the lane's own,
// drawn uniformly from those that no unanswered message steps, so that each one's position is known. The first messages
// take them in turn instead, which creates all.
class PooledExchange final : public Exchange {
 public:
  // REQUIRES: shape.lane_sessions is at least twice what is in flight at once.
  PooledExchange(const MessageShape& shape, uint64_t run, int lane, uint64_t seed);

  bool creating() const override { return sent_once_ < positions_.size(); }
  const google::protobuf::MessageLite& Next(size_t in_flight) override;
  const google::protobuf::MessageLite* Last() override { return nullptr; }
  google::protobuf::MessageLite* reply() override { return &reply_; }
  bool IsGoodbye() const override { return reply_.has_going_away(); }
  Verdict OnReply() override;
  void OnFailure() override { TakeOldest(); }
  std::vector<std::string> SessionIds() const override;

 private:
  // Says which of the lane's sessions.
  using Index = size_t;

  // The session of the next sequence; from now on it is in flight.
  Index Take();
  // The sessions of the oldest unanswered message, which are free again.
  std::vector<Index> TakeOldest();

  const MessageShape shape_;
  const uint64_t run_;
  const int lane_;
  std::mt19937_64 random_;
  v1::PredictRequest request_;
  v1::PredictResponse reply_;
  size_t sent_once_ = 0;                       // sessions that a message has named, the first ones
  std::vector<int64_t> positions_;             // each session's next position, as of its last reply
  std::vector<bool> in_flight_;                // of each session: an unanswered message steps it
  std::deque<std::vector<Index>> unanswered_;  // the sessions of each message, the oldest first
};

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_POOLED_EXCHANGE_H_
