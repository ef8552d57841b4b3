#ifndef RONDO_SERVER_RPC_CALL_RPC_CALL_H_
#define RONDO_SERVER_RPC_CALL_RPC_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_unary_call.h>

#include <memory>
#include <string>

#include "absl/hash/hash.h"
#include "absl/time/time.h"
#include "base/steady_time.h"
#include "server/rpc/call/call.h"
#include "server/rpc/call/rpc_context.h"
#include "server/rpc/call/status.h"
#include "server/serve/message_owner.h"

namespace rondo {

// A call that gRPC brings, on the loop of its context.
class RpcCall : public Call, public Caller {
 protected:
  explicit RpcCall(const RpcContext* context) : context_(context) { server_context_.AsyncNotifyWhenDone(done_event()); }

  // Awaits the call. `request`: the generated Request...() of its method; `messages`: what that takes between the
  // server context and the queues.
  template <typename Service, typename Request, typename... Messages>
  void Await(Service* service, Request request, Messages*... messages) {
    grpc::ServerCompletionQueue* const queue = context_->loop->queue();
    (service->*request)(&server_context_, messages..., queue, queue, BeginArrival());
  }

  // Finishes a unary call: with `response`, or with an error if `status` is one.
  template <typename Response>
  void FinishUnary(grpc::ServerAsyncResponseWriter<Response>* writer, const Response& response,
                   const absl::Status& status) {
    if (status.ok()) return writer->Finish(response, grpc::Status::OK, BeginFinish());
    writer->FinishWithError(ToGrpcStatus(status, &server_context_), BeginFinish());
  }

  const RpcContext* context() const { return context_; }
  grpc::ServerContext* server_context() { return &server_context_; }
  // By SteadyNow().
  absl::Time deadline() const { return absl::FromChrono(server_context_.deadline()) - WallAhead(); }
  // Says whose the requests of `owner` are. `unary`: other calls of the connection may bring more of its requests.
  // REQUIRES: the call has arrived.
  void Identify(bool unary, MessageOwner* owner) const {
    const std::string peer = server_context_.peer();
    RequestOrder order;
    order.loop = static_cast<uint16_t>(context_->loop_number);
    if (unary) order.connection = static_cast<uint32_t>(absl::Hash<std::string>()(peer)) | 1;  // 0: none
    owner->ComesFrom(context_->clients->Find(HostOfPeer(peer)), order, this);
  }

 private:
  std::string peer() const override { return server_context_.peer(); }
  std::string request_id() const override {
    const auto found = server_context_.client_metadata().find("x-request-id");
    return found == server_context_.client_metadata().end() ? ""
                                                            : std::string(found->second.data(), found->second.size());
  }
  bool IsCancelled() const override { return server_context_.IsCancelled(); }

  const RpcContext* const context_;
  grpc::ServerContext server_context_;
};

// Awaits a call of one kind on the context's loop. Each call that arrives calls this for the one after it.
template <typename Kind, typename... Args>
void Listen(const RpcContext* context, const Args&... args) {
  context->calls->Add(std::make_unique<Kind>(context, args...));
}

// Awaits several calls of a hot kind: gRPC can hand over so many before the first of them has been looked at.
template <typename Kind, typename Service>
void ListenToMany(const RpcContext* context, Service* service) {
  constexpr int kListeners = 16;
  for (int i = 0; i < kListeners; ++i) Listen<Kind>(context, service);
}

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_RPC_CALL_H_
