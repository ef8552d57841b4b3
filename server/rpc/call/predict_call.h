#ifndef RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_
#define RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_unary_call.h>

#include "server/rpc/call/call.h"
#include "server/rpc/call/rpc_context.h"
#include "server/serve/predict_message.h"

namespace rondo {

// One unary call that brings one message. `Rpc` is PredictRpc or ModelInferRpc. Owns itself.
template <typename Rpc>
class PredictCall : public Call, private PredictMessage::Owner {
 public:
  using Service = typename Rpc::Service;

  // Waits for the next call on the context's loop, and from then on always for one more.
  static void Listen(const RpcContext* context, Service* service);

 private:
  PredictCall(const RpcContext* context, Service* service);

  void OnArrived(bool ok);
  void OnFinished(bool ok);
  void OnContextDone(bool ok);
  void OnMessageDone() override;
  void DeleteWhenOver();

  const RpcContext* const context_;
  Service* const service_;
  grpc::ServerContext server_context_;
  grpc::ServerAsyncResponseWriter<typename Rpc::Response> writer_{&server_context_};
  typename Rpc::Message message_;
  MethodEvent<PredictCall> arrived_{this, &PredictCall::OnArrived};
  MethodEvent<PredictCall> finished_{this, &PredictCall::OnFinished};
  MethodEvent<PredictCall> context_done_{this, &PredictCall::OnContextDone};
  bool is_finished_ = false;
  bool is_context_done_ = false;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_
