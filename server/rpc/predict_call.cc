#include "server/rpc/predict_call.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/rpc/status.h"

namespace rondo {

void PredictCall::Listen(const RpcContext* context, v1::Inference::AsyncService* service) {
  new PredictCall(context, service);
}

PredictCall::PredictCall(const RpcContext* context, v1::Inference::AsyncService* service)
    : context_(context), service_(service), message_(context, Method::kPredict, this) {
  server_context_.AsyncNotifyWhenDone(&context_done_);
  grpc::ServerCompletionQueue* queue = context_->loop->queue();
  service_->RequestPredict(&server_context_, message_.request(), &writer_, queue, queue, &arrived_);
}

void PredictCall::OnArrived(bool ok) {
  if (!ok) {  // the server is shutting down; context_done_ will not come
    delete this;
    return;
  }
  context_->calls->Add(this);
  Listen(context_, service_);
  message_.Start(absl::Now(), absl::FromChrono(server_context_.deadline()));
}

void PredictCall::OnMessageDone(PredictMessage*) {
  const grpc::Status status = StatusOfReply();
  if (status.ok()) {
    writer_.Finish(message_.response(), status, &finished_);
  } else {
    writer_.FinishWithError(status, &finished_);
  }
}

grpc::Status PredictCall::StatusOfReply() {
  if (!message_.refusal().ok()) return ToGrpcStatus(message_.refusal(), &server_context_);
  if (message_.response().results_size() != 1) return grpc::Status::OK;
  const v1::SequenceResult& result = message_.response().results(0);
  if (!result.has_status()) return grpc::Status::OK;
  const absl::Status status(static_cast<absl::StatusCode>(result.status().code()), result.status().message());
  if (absl::IsFailedPrecondition(status)) {
    server_context_.AddTrailingMetadata("rondo-next-position", absl::StrCat(result.next_position()));
  }
  return ToGrpcStatus(status, &server_context_);
}

void PredictCall::OnFinished(bool) {
  is_finished_ = true;
  DeleteWhenOver();
}

void PredictCall::OnContextDone(bool) {
  is_context_done_ = true;
  if (server_context_.IsCancelled()) message_.Cancel();
  DeleteWhenOver();
}

void PredictCall::DeleteWhenOver() {
  if (!is_finished_ || !is_context_done_) return;
  context_->calls->Remove(this);
  delete this;
}

}  // namespace rondo
