#ifndef RONDO_SERVER_RPC_NATIVE_SESSION_METHOD_H_
#define RONDO_SERVER_RPC_NATIVE_SESSION_METHOD_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_unary_call.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "server/rpc/call/rpc_context.h"
#include "server/rpc/native/session_call.h"

namespace rondo {

// A rare unary method about sessions: as UnaryMethod, but it may have waited for a session. `Request` has a session_id.
template <typename Request, typename Response>
class SessionMethod {
 public:
  using Writer = grpc::ServerAsyncResponseWriter<Response>;
  // The generated Request...() of the method's service.
  using Listener =
      std::function<void(grpc::ServerContext*, Request*, Writer*, grpc::ServerCompletionQueue*, void* tag)>;
  // See SessionCall.
  struct Steps {
    std::function<std::string(const Request&)> restored_id;  // null: none
    bool leases = false;                                     // the session of session_id
    std::function<absl::Status(const Request&, SessionLease, Response*)> handle;
    std::function<std::string(const Request&, const Response&)> changed_id;  // null: none
  };

  // Serves the method on the context's loop until the server shuts down.
  static void Serve(const RpcContext* context, Listener listener, Steps steps) {
    new OneCall(context, std::make_shared<const Method>(Method{std::move(listener), std::move(steps)}));
  }

 private:
  struct Method {
    Listener listener;
    Steps steps;
  };

  class OneCall : public SessionCall {
   public:
    OneCall(const RpcContext* context, std::shared_ptr<const Method> method)
        : SessionCall(context), method_(std::move(method)) {
      method_->listener(server_context(), &request_, &writer_, context->loop->queue(), arrived_tag());
    }

   private:
    std::string RestoredId() const override {
      return method_->steps.restored_id == nullptr ? std::string() : method_->steps.restored_id(request_);
    }
    bool Leases() const override { return method_->steps.leases; }
    const std::string& LeasedId() const override { return request_.session_id(); }
    absl::Status Handle(SessionLease lease) override {
      return method_->steps.handle(request_, std::move(lease), &response_);
    }
    std::string ChangedId() const override {
      return method_->steps.changed_id == nullptr ? std::string() : method_->steps.changed_id(request_, response_);
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

#endif  // RONDO_SERVER_RPC_NATIVE_SESSION_METHOD_H_
