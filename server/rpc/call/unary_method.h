#ifndef RONDO_SERVER_RPC_CALL_UNARY_METHOD_H_
#define RONDO_SERVER_RPC_CALL_UNARY_METHOD_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/rpc/call/rpc_call.h"
#include "server/serve/or_out_of_memory.h"
#include "server/serve/record_refusal.h"

namespace rondo {

// The type of the generated Request...() of a unary method. `Base` is the class in the generated service that has it.
template <typename Base, typename Request, typename Response>
using UnaryRequest = void (Base::*)(grpc::ServerContext*, Request*, grpc::ServerAsyncResponseWriter<Response>*,
                                    grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void* tag);

// "GetModel" of GetModelRequest.
template <typename Request>
absl::string_view MethodOf() {
  return absl::StripSuffix(Request::descriptor()->name(), "Request");
}

// One call of a rare unary method that answers at once, on the loop's thread: nothing to wait for, nothing to cancel.
template <typename Base, typename Request, typename Response, typename Handler>
class UnaryCall : public RpcCall {
 public:
  UnaryCall(const RpcContext* context, const MethodRule* rule, Base* service,
            UnaryRequest<Base, Request, Response> request, const Handler& handler)
      : RpcCall(context, rule), service_(service), request_method_(request), handler_(handler) {
    Await(service_, request_method_, &request_, &writer_);
  }

 private:
  void ListenAgain() override { Listen<UnaryCall>(context(), rule(), service_, request_method_, handler_); }
  void OnAdmitted() override {
    const absl::Status status = OrOutOfMemory([this] {
      const absl::Status answered = handler_(request_, &response_);
      return answered.ok() ? TakeReply(response_.ByteSizeLong()) : answered;
    });
    if (!status.ok()) RecordRefusal(status, {MethodOf<Request>(), "", "", this}, context()->metrics);
    FinishUnary(&writer_, response_, status);
    response_ = Response();  // gRPC has its bytes
  }
  void OnDenied(const absl::Status& status) override { FinishUnary(&writer_, response_, status); }

  Base* const service_;
  const UnaryRequest<Base, Request, Response> request_method_;
  const Handler handler_;
  Request request_;
  Response response_;
  grpc::ServerAsyncResponseWriter<Response> writer_{server_context()};
};

// Serves `method` of the service `Api` on the context's loop until the server shuts down. `request` is the generated
// Request...() of the method, and `handler` an absl::Status(const Request&, Response*).
template <typename Api, typename Service, typename Base, typename Request, typename Response, typename Handler>
void ServeUnary(const RpcContext* context, Service* service, absl::string_view method,
                UnaryRequest<Base, Request, Response> request, const Handler& handler) {
  Base* const base = service;
  Listen<UnaryCall<Base, Request, Response, Handler>>(context, RuleFor<Api>(method), base, request, handler);
}

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_UNARY_METHOD_H_
