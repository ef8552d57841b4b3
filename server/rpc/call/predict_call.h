#ifndef RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_
#define RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_

#include <type_traits>
#include <utility>

#include "base/steady_time.h"
#include "server/rpc/call/one_message_call.h"
#include "server/serve/message_owner.h"

namespace rondo {

// One unary call that brings one message. `kResponse`: the message's method that returns its response.
template <typename Message, Method kMethod, auto kResponse = &Message::response>
class PredictCall : public OneMessageCall, private MessageOwner {
 public:
  PredictCall(const RpcContext* context, const ServedMethod& method)
      : OneMessageCall(context, method), message_(context, kMethod, this) {
    Await(&stream_);
  }

 private:
  using Request = std::remove_pointer_t<decltype(std::declval<Message>().request())>;
  using Response = std::decay_t<std::invoke_result_t<decltype(kResponse), const Message&>>;

  void ListenAgain() override { Listen<PredictCall>(context(), method()); }
  void ReadMessage(Event* event) override { stream_.Read(message_.request(), event); }
  void OnMessage() override {
    Identify(/*unary=*/true, this);
    message_.Start(SteadyNow(), deadline());
  }
  void OnDenied(const absl::Status& status) override { FinishUnary(&stream_, Response(), status); }
  void OnGone() override { message_.Cancel(); }
  void OnMessageDone() override { FinishUnary(&stream_, (message_.*kResponse)(), message_.status()); }

  grpc::ServerAsyncReader<Response, Request> stream_{server_context()};
  Message message_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_PREDICT_CALL_H_
