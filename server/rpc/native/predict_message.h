#ifndef RONDO_SERVER_RPC_NATIVE_PREDICT_MESSAGE_H_
#define RONDO_SERVER_RPC_NATIVE_PREDICT_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "rondo/v1/inference.pb.h"
#include "server/rpc/call/rpc_context.h"
#include "server/serve/exchange.h"
#include "server/serve/message.h"
#include "server/serve/message_owner.h"

namespace rondo {

// One PredictRequest and its PredictResponse, as PredictCall and StreamCall want a message. The kernel reads the
// request's floats where they are, and writes those of the reply.
//
// Threads: the loop's own.
class PredictMessage : private Exchange {
 public:
  PredictMessage(const RpcContext* context, Method method, MessageOwner* owner)
      : owner_(owner), message_(context, method, this) {}

  // Fill before Start; untouched until OnMessageDone.
  v1::PredictRequest* request() { return &request_; }
  const v1::PredictRequest& request() const { return request_; }
  const v1::PredictResponse& response() const { return response_; }
  // What a unary call ends with: the refusal, or the failure of its only sequence.
  absl::Status status() const;
  // The serial of the session that ran sequence `i`: see LiveSession.
  uint32_t serial(size_t i) const { return serials_[i]; }
  // Why the whole message was refused, or OK. Each sequence has its own status besides.
  const absl::Status& refusal() const { return message_.refusal(); }
  bool running() const { return message_.running(); }

  // Runs the request; the owner hears OnMessageDone once, at once or later. `refused`: why its stream does not take it,
  // or OK.
  void Start(absl::Time now, absl::Time deadline, const absl::Status& refused = absl::OkStatus());
  void Cancel() { message_.Cancel(); }
  // The reply has been sent: empties both protos. Their memory is kept unless it is, or may have grown, large.
  void Clear();

 private:
  SequenceView SequenceAt(size_t i) const override;
  void AddResults(size_t count) override;
  float* AllocateValues(size_t i, size_t count) override;
  void SetResult(size_t i, const SequenceResult& result) override;
  void OnMessageDone(const absl::Status& refusal) override;

  MessageOwner* const owner_;
  v1::PredictRequest request_;
  v1::PredictResponse response_;
  std::vector<uint32_t> serials_;  // one a result
  Message message_;
  size_t request_bytes_ = 0;  // of its values, times and ids
  size_t used_bytes_ = 0;     // of all messages since both protos were new
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_PREDICT_MESSAGE_H_
