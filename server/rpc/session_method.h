#ifndef RONDO_SERVER_RPC_SESSION_METHOD_H_
#define RONDO_SERVER_RPC_SESSION_METHOD_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_unary_call.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "server/rpc/rpc_context.h"
#include "server/rpc/session_call.h"

namespace rondo {

// A rare unary method on the session that its request's `session_id` names: as UnaryMethod, but its handler gets the
// session's lease, and may have waited for it.
template <typename Request, typename Response>
class SessionMethod {
 public:
  using Writer = grpc::ServerAsyncResponseWriter<Response>;
  // The generated Request...() of the method's service.
  using Listener =
      std::function<void(grpc::ServerContext*, Request*, Writer*, grpc::ServerCompletionQueue*, void* tag)>;
  using Handler = std::function<absl::Status(const Request&, SessionLease, Response*)>;

  // Serves the method on the context's loop until the server shuts down.
  static void Serve(const RpcContext* context, Listener listener, Handler handler) {
    new OneCall(context, std::make_shared<const Method>(Method{std::move(listener), std::move(handler)}));
  }

 private:
  struct Method {
    Listener listener;
    Handler handler;
  };

  class OneCall : public SessionCall {
   public:
    OneCall(const RpcContext* context, std::shared_ptr<const Method> method)
        : SessionCall(context), method_(std::move(method)) {
      method_->listener(server_context(), &request_, &writer_, context->loop->queue(), arrived_tag());
    }

   private:
    const std::string& session_id() const override { return request_.session_id(); }
    absl::Status Handle(SessionLease lease) override {
      return method_->handler(request_, std::move(lease), &response_);
    }
    void Send(const grpc::Status& status, void* tag) override {
      if (status.ok()) return writer_.Finish(response_, status, tag);
      writer_.FinishWithError(status, tag);
    }
    void ListenAgain() override { new OneCall(context(), method_); }

    const std::shared_ptr<const Method> method_;
    Request request_;
    Response response_;
    Writer writer_{server_context()};
  };
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_SESSION_METHOD_H_
