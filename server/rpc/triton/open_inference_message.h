#ifndef RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_MESSAGE_H_
#define RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_MESSAGE_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "inference/infer_wire.pb.h"
#include "server/rpc/call/rpc_context.h"
#include "server/rpc/triton/open_inference_tensors.h"
#include "server/serve/exchange.h"
#include "server/serve/message.h"
#include "server/serve/message_owner.h"

namespace rondo {

using inference::wire::StreamInferResponse;

// One ModelInferRequest and its reply, with one sequence, as PredictCall and StreamCall want a message. The kernel
// reads a request's floats where they are, if they are one FP32 tensor, and writes those of the reply.
//
//   sequence_id N or "s"    session "N" or "s"; without one the request is stateless
//   sequence_start          the session begins anew at a zero state, live or not
//   sequence_end            the session ends with this request
//   timeout                 of this request, in microseconds
//
// Threads: the loop's own.
class OpenInferenceMessage : private Exchange {
 public:
  OpenInferenceMessage(const RpcContext* context, Method method, MessageOwner* owner)
      : context_(context), method_(method), owner_(owner), message_(context, method, this) {}

  InferRequest* request() { return &request_; }
  const StreamInferResponse& response() const { return response_; }
  const InferResponse& unary_response() const { return response_.infer_response(); }
  // Why there is no result, or OK.
  const absl::Status& refusal() const { return refusal_; }
  const absl::Status& status() const { return refusal_; }
  bool running() const { return message_.running(); }

  void Start(absl::Time now, absl::Time deadline);
  void Cancel() { message_.Cancel(); }
  void Clear();

 private:
  SequenceView SequenceAt(size_t i) const override;
  absl::Status ReadFor(size_t i, const Model& model, SequenceView* sequence) override;
  void AddResults(size_t) override {}
  float* AllocateValues(size_t i, size_t count) override;
  void SetResult(size_t, const SequenceResult& result) override { result_ = result; }
  void OnMessageDone(const absl::Status& refusal) override;
  // What a client of Triton's reads if there is no result, or OK.
  absl::Status Failure() const;

  const RpcContext* const context_;
  const Method method_;
  MessageOwner* const owner_;

  InferRequest request_;
  size_t request_bytes_ = 0;  // as they came
  size_t used_bytes_ = 0;     // of all requests since the proto was new
  StreamInferResponse response_;
  InferTerms terms_;
  InferTensors tensors_;
  SequenceResult result_;
  Message message_;
  absl::Status refusal_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_MESSAGE_H_
