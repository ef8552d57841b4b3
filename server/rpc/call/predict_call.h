#ifndef RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_
#define RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_

#include "base/steady_time.h"
#include "server/rpc/call/rpc_call.h"
#include "server/serve/message_owner.h"

namespace rondo {

// One unary call that brings one message. `Rpc` is PredictRpc, ForecastRpc or ModelInferRpc.
template <typename Rpc>
class PredictCall : public RpcCall, private MessageOwner {
 public:
  using Service = typename Rpc::Service;

  PredictCall(const RpcContext* context, Service* service)
      : RpcCall(context), service_(service), message_(context, Rpc::kMethod, this) {
    Await(service_, Rpc::kRequest, message_.request(), &writer_);
  }

 private:
  void OnArrived() override {
    Listen<PredictCall>(context(), service_);
    message_.Start(SteadyNow(), deadline());
  }
  void OnCancelled() override { message_.Cancel(); }
  void OnMessageDone() override {
    FinishUnary(&writer_, Rpc::ResponseOf(message_), message_.CallStatus(server_context()));
  }

  Service* const service_;
  grpc::ServerAsyncResponseWriter<typename Rpc::Response> writer_{server_context()};
  typename Rpc::Message message_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_
