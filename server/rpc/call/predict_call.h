#ifndef RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_
#define RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_

#include <type_traits>

#include "base/steady_time.h"
#include "server/rpc/call/rpc_call.h"
#include "server/serve/message_owner.h"

namespace rondo {

// One unary call that brings one message. `kRequest`: the generated Request...() of its method; `kResponse`: the
// message's method that returns its response.
template <typename Service, typename Message, Method kMethod, auto kRequest, auto kResponse = &Message::response>
class PredictCall : public RpcCall, private MessageOwner {
 public:
  PredictCall(const RpcContext* context, Service* service, const MethodRule* rule)
      : RpcCall(context, rule), service_(service), message_(context, kMethod, this) {
    Await(service_, kRequest, message_.request(), &writer_);
  }

 private:
  using Response = std::decay_t<std::invoke_result_t<decltype(kResponse), const Message&>>;

  void ListenAgain() override { Listen<PredictCall>(context(), service_, rule()); }
  void OnAdmitted() override {
    Identify(/*unary=*/true, this);
    message_.Start(SteadyNow(), deadline());
  }
  void OnDenied(const absl::Status& status) override { FinishUnary(&writer_, Response(), status); }
  void OnCancelled() override { message_.Cancel(); }
  void OnMessageDone() override { FinishUnary(&writer_, (message_.*kResponse)(), message_.status()); }

  Service* const service_;
  grpc::ServerAsyncResponseWriter<Response> writer_{server_context()};
  Message message_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_
