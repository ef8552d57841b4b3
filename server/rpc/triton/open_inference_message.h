#ifndef RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_MESSAGE_H_
#define RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_MESSAGE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "inference/infer_wire.pb.h"
#include "server/rpc/call/rpc_context.h"
#include "server/serve/predict_message.h"

namespace rondo {

using inference::wire::InferRequest;
using inference::wire::StreamInferResponse;

// One ModelInferRequest and its reply: a PredictMessage with one sequence, translated both ways. It looks to a call as
// PredictMessage does, and is used again as that is.
//
//   sequence_id N or "s"    session "N" or "s"; without one the request is stateless
//   sequence_start          the session begins anew at a zero state, live or not
//   sequence_end            the session ends with this request
//   timeout                 of this request, in microseconds
//
// Threads: the loop's own.
class OpenInferenceMessage : private PredictMessage::Owner {
 public:
  OpenInferenceMessage(const RpcContext* context, Method method, PredictMessage::Owner* owner)
      : context_(context), method_(method), owner_(owner), predict_(context, method, this) {}

  InferRequest* request() { return &request_; }
  const StreamInferResponse& response() const { return response_; }
  // Why there is no result, or OK.
  const absl::Status& refusal() const { return refusal_; }
  grpc::Status CallStatus(grpc::ServerContext* context) const;
  bool running() const { return predict_.running(); }

  void Start(absl::Time now, absl::Time deadline);
  void Cancel() { predict_.Cancel(); }
  void Clear();

 private:
  void OnMessageDone() override;
  absl::Status ResultOfPredict() const;
  void FillResult();

  const RpcContext* const context_;
  const Method method_;
  PredictMessage::Owner* const owner_;

  InferRequest request_;
  StreamInferResponse response_;
  PredictMessage predict_;
  absl::Status refusal_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_MESSAGE_H_
