#ifndef RONDO_SERVER_RPC_CALL_UNARY_METHOD_H_
#define RONDO_SERVER_RPC_CALL_UNARY_METHOD_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/rpc/call/one_message_call.h"
#include "server/serve/or_out_of_memory.h"
#include "server/serve/record_refusal.h"

namespace rondo {

// The type of a unary method of the generated class `Base`, which tells those of its messages.
template <typename Base, typename Request, typename Response>
using UnaryMethod = grpc::Status (Base::*)(grpc::ServerContext*, const Request*, Response*);

// "GetModel" of GetModelRequest.
template <typename Request>
absl::string_view MethodOf() {
  return absl::StripSuffix(Request::descriptor()->name(), "Request");
}

// One call of a rare unary method that answers at once, on the loop's thread: nothing to wait for, nothing to cancel.
template <typename Request, typename Response, typename Handler>
class UnaryCall : public OneMessageCall {
 public:
  UnaryCall(const RpcContext* context, const ServedMethod& method, const Handler& handler)
      : OneMessageCall(context, method), handler_(handler) {
    Await(&stream_);
  }

 private:
  void ListenAgain() override { Listen<UnaryCall>(context(), method(), handler_); }
  void ReadMessage(Event* event) override { stream_.Read(&request_, event); }
  void OnMessage() override {
    TraceCall();
    const absl::Status status = OrOutOfMemory([this] {
      if (absl::Status taken = TakeRequest(request_.ByteSizeLong()); !taken.ok()) return taken;
      const absl::Status answered = handler_(request_, &response_);
      return answered.ok() ? TakeReply(response_.ByteSizeLong()) : answered;
    });
    if (!status.ok()) RecordRefusal(status, {MethodOf<Request>(), "", "", this}, context()->metrics);
    FinishUnary(&stream_, response_, status);
    response_ = Response();  // gRPC has its bytes
  }
  void OnDenied(const absl::Status& status) override { FinishUnary(&stream_, response_, status); }

  const Handler handler_;
  Request request_;
  Response response_;
  grpc::ServerAsyncReader<Response, Request> stream_{server_context()};
};

// Serves the method `name` on the context's loop until the server shuts down. Its generated method tells the types of
// its messages. `handler` is an absl::Status(const Request&, Response*).
template <typename Api, typename Base, typename Request, typename Response, typename Handler>
void ServeUnary(const RpcContext* context, HeadersFirst<Api>* service, absl::string_view name,
                UnaryMethod<Base, Request, Response> /*messages*/, const Handler& handler) {
  Listen<UnaryCall<Request, Response, Handler>>(context, MethodNamed(service, name), handler);
}

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_UNARY_METHOD_H_
