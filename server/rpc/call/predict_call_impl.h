// The definitions of predict_call.h, for the file of each protocol that makes an instance of it.
#ifndef RONDO_SERVER_RPC_CALL_PREDICT_CALL_IMPL_H_
#define RONDO_SERVER_RPC_CALL_PREDICT_CALL_IMPL_H_

#include "absl/time/clock.h"
#include "server/rpc/call/predict_call.h"

namespace rondo {

template <typename Rpc>
void PredictCall<Rpc>::Listen(const RpcContext* context, Service* service) {
  new PredictCall(context, service);
}

template <typename Rpc>
PredictCall<Rpc>::PredictCall(const RpcContext* context, Service* service)
    : Call(context->calls), context_(context), service_(service), message_(context, Rpc::kMethod, this) {
  server_context_.AsyncNotifyWhenDone(&context_done_);
  grpc::ServerCompletionQueue* queue = context_->loop->queue();
  Rpc::Accept(service_, &server_context_, message_.request(), &writer_, queue, queue, &arrived_);
}

template <typename Rpc>
void PredictCall<Rpc>::OnArrived(bool ok) {
  if (!ok) {  // the server is shutting down; context_done_ will not come
    delete this;
    return;
  }
  context_->calls->Add(this);
  Listen(context_, service_);
  message_.Start(absl::Now(), absl::FromChrono(server_context_.deadline()));
}

template <typename Rpc>
void PredictCall<Rpc>::OnMessageDone() {
  const grpc::Status status = message_.CallStatus(&server_context_);
  if (status.ok()) {
    writer_.Finish(Rpc::ResponseOf(message_), status, &finished_);
  } else {
    writer_.FinishWithError(status, &finished_);
  }
}

template <typename Rpc>
void PredictCall<Rpc>::OnFinished(bool) {
  is_finished_ = true;
  DeleteWhenOver();
}

template <typename Rpc>
void PredictCall<Rpc>::OnContextDone(bool) {
  is_context_done_ = true;
  if (server_context_.IsCancelled()) message_.Cancel();
  DeleteWhenOver();
}

template <typename Rpc>
void PredictCall<Rpc>::DeleteWhenOver() {
  if (!is_finished_ || !is_context_done_) return;
  delete this;
}

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_PREDICT_CALL_IMPL_H_
