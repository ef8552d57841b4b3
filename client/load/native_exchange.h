#ifndef RONDO_CLIENT_LOAD_NATIVE_EXCHANGE_H_
#define RONDO_CLIENT_LOAD_NATIVE_EXCHANGE_H_

#include "client/load/exchange.h"
#include "rondo/v1/inference.pb.h"

namespace rondo::load {

// rondo.v1.Inference: each message steps all sessions of the lane, at positions that follow from the last replies. A
// refused message is sent again at its position. Sessions end by DeleteSession, so there is no last request.
class NativeExchange final : public Exchange {
 public:
  NativeExchange(const MessageShape& shape, uint64_t run, int lane, uint64_t seed);

  const google::protobuf::MessageLite& Next(size_t in_flight) override;
  const google::protobuf::MessageLite* Last() override { return nullptr; }
  google::protobuf::MessageLite* reply() override { return &reply_; }
  bool IsGoodbye() const override { return reply_.has_going_away(); }
  Verdict OnReply() override;
  void OnFailure() override {}
  std::vector<std::string> SessionIds() const override;

 private:
  const MessageShape shape_;
  v1::PredictRequest request_;
  v1::PredictResponse reply_;
  std::vector<int64_t> positions_;  // each session's next position, as of the last reply
  bool sent_any_ = false;
};

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_NATIVE_EXCHANGE_H_
