#ifndef RONDO_SERVER_RPC_CALL_UNARY_METHOD_H_
#define RONDO_SERVER_RPC_CALL_UNARY_METHOD_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_unary_call.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "server/rpc/call/call.h"
#include "server/rpc/call/rpc_context.h"
#include "server/rpc/call/status.h"

namespace rondo {

// A rare unary method that answers at once, on the loop's thread: nothing to wait for, nothing to cancel.
template <typename Request, typename Response>
class UnaryMethod {
 public:
  using Writer = grpc::ServerAsyncResponseWriter<Response>;
  // The generated Request...() of the method's service.
  using Listener =
      std::function<void(grpc::ServerContext*, Request*, Writer*, grpc::ServerCompletionQueue*, void* tag)>;
  using Handler = std::function<absl::Status(const Request&, Response*)>;

  // Serves the method on the context's loop until the server shuts down.
  static void Serve(const RpcContext* context, Listener listener, Handler handler) {
    new OneCall(context, std::make_shared<const Method>(Method{std::move(listener), std::move(handler)}));
  }

 private:
  struct Method {
    Listener listener;
    Handler handler;
  };

  class OneCall : public Call {
   public:
    OneCall(const RpcContext* context, std::shared_ptr<const Method> method)
        : Call(context->calls), context_(context), method_(std::move(method)) {
      method_->listener(&server_context_, &request_, &writer_, context_->loop->queue(), &arrived_);
    }

   private:
    void OnArrived(bool ok) {
      if (!ok) {
        delete this;
        return;
      }
      context_->calls->Add(this);
      new OneCall(context_, method_);
      const absl::Status status = method_->handler(request_, &response_);
      if (status.ok()) {
        writer_.Finish(response_, grpc::Status::OK, &finished_);
      } else {
        RecordRefusal(RejectionOf(status), status, context_->metrics);
        writer_.FinishWithError(ToGrpcStatus(status, &server_context_), &finished_);
      }
    }

    void OnFinished(bool) { delete this; }

    const RpcContext* const context_;
    const std::shared_ptr<const Method> method_;
    grpc::ServerContext server_context_;
    Request request_;
    Response response_;
    Writer writer_{&server_context_};
    MethodEvent<OneCall> arrived_{this, &OneCall::OnArrived};
    MethodEvent<OneCall> finished_{this, &OneCall::OnFinished};
  };
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_UNARY_METHOD_H_
