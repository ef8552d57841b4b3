#ifndef RONDO_SERVER_RPC_PREDICT_CALL_H_
#define RONDO_SERVER_RPC_PREDICT_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_unary_call.h>

#include "rondo/v1/inference.grpc.pb.h"
#include "server/rpc/call.h"
#include "server/rpc/predict_message.h"
#include "server/rpc/rpc_context.h"

namespace rondo {

// One unary Predict. Owns itself.
class PredictCall : public Call, private PredictMessage::Owner {
 public:
  // Waits for the next Predict on the context's loop, and from then on always for one more.
  static void Listen(const RpcContext* context, v1::Inference::AsyncService* service);

 private:
  PredictCall(const RpcContext* context, v1::Inference::AsyncService* service);

  void OnArrived(bool ok);
  void OnFinished(bool ok);
  void OnContextDone(bool ok);
  void OnMessageDone(PredictMessage* message) override;
  // The call's own status: the message's refusal, or the failure of its only sequence.
  grpc::Status StatusOfReply();
  void DeleteWhenOver();

  const RpcContext* const context_;
  v1::Inference::AsyncService* const service_;
  grpc::ServerContext server_context_;
  grpc::ServerAsyncResponseWriter<v1::PredictResponse> writer_{&server_context_};
  PredictMessage message_;
  MethodEvent<PredictCall> arrived_{this, &PredictCall::OnArrived};
  MethodEvent<PredictCall> finished_{this, &PredictCall::OnFinished};
  MethodEvent<PredictCall> context_done_{this, &PredictCall::OnContextDone};
  bool is_finished_ = false;
  bool is_context_done_ = false;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_PREDICT_CALL_H_
