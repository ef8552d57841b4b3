#include "server/rpc/stream_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/rpc/status.h"

namespace rondo {

void StreamCall::Listen(const RpcContext* context, v1::Inference::AsyncService* service) {
  new StreamCall(context, service);
}

StreamCall::StreamCall(const RpcContext* context, v1::Inference::AsyncService* service)
    : context_(context), service_(service), ring_(context->limits.max_pipelined_messages) {
  server_context_.AsyncNotifyWhenDone(&context_done_);
  grpc::ServerCompletionQueue* queue = context_->loop->queue();
  service_->RequestStreamPredict(&server_context_, &stream_, queue, queue, &arrived_);
}

StreamCall::~StreamCall() {
  if (counted_) context_->open_streams->fetch_sub(1);
}

void StreamCall::OnArrived(bool ok) {
  if (!ok) {  // the server is shutting down; context_done_ will not come
    delete this;
    return;
  }
  context_->calls->Add(this);
  Listen(context_, service_);
  counted_ = true;
  const size_t open = context_->open_streams->fetch_add(1) + 1;
  if (open > context_->limits.max_streams) {
    const absl::Status status = absl::ResourceExhaustedError(
        absl::StrCat("the server has max_streams=", context_->limits.max_streams, " open"));
    RecordRefusal(Rejection::kStreamsFull, status, context_->metrics);
    return Finish(status);
  }
  if (context_->draining->load(std::memory_order_relaxed)) return Drain();
  ReadNext();
}

void StreamCall::ReadNext() {
  if (reading_ || no_more_reads_ || broken_ || read_count_ - written_count_ == ring_.size()) return;
  std::unique_ptr<PredictMessage>& place = ring_[read_count_ % ring_.size()];
  if (place == nullptr) {
    PredictMessage::Owner* const owner = this;
    place = std::make_unique<PredictMessage>(context_, Method::kStreamPredict, owner);
  }
  reading_ = true;
  stream_.Read(place->request(), &read_);
}

void StreamCall::OnRead(bool ok) {
  reading_ = false;
  if (!ok || no_more_reads_ || broken_) {
    no_more_reads_ = true;
    WriteNext();
    return DeleteWhenOver();
  }
  PredictMessage* message = At(read_count_++);
  ReadNext();  // first: what comes next is parsed while this one waits for its batch
  message->Start(absl::Now(), absl::FromChrono(server_context_.deadline()));
}

void StreamCall::OnMessageDone(PredictMessage*) { WriteNext(); }

void StreamCall::WriteNext() {
  if (writing_ || finishing_) return;
  if (written_count_ < read_count_) {
    PredictMessage* message = At(written_count_);
    if (message->running()) return;
    if (!broken_) {
      writing_ = true;
      return stream_.Write(message->response(), &written_);
    }
    message->Clear();
    ++written_count_;
    return WriteNext();
  }
  if (no_more_reads_ || broken_) Finish(end_);
}

void StreamCall::OnWritten(bool ok) {
  writing_ = false;
  At(written_count_++)->Clear();
  if (!ok) {
    broken_ = true;
    CancelMessages();
  }
  ReadNext();
  WriteNext();
  DeleteWhenOver();
}

void StreamCall::Drain() {
  no_more_reads_ = true;
  end_ = absl::UnavailableError("the server is shutting down");
  WriteNext();
}

void StreamCall::Finish(const absl::Status& status) {
  finishing_ = true;
  no_more_reads_ = true;
  stream_.Finish(ToGrpcStatus(status, &server_context_), &finished_);
}

void StreamCall::OnFinished(bool) {
  is_finished_ = true;
  DeleteWhenOver();
}

void StreamCall::OnContextDone(bool) {
  is_context_done_ = true;
  if (server_context_.IsCancelled()) {
    broken_ = true;
    CancelMessages();
    WriteNext();
  }
  DeleteWhenOver();
}

void StreamCall::CancelMessages() {
  for (size_t i = written_count_; i < read_count_; ++i) At(i)->Cancel();
}

void StreamCall::DeleteWhenOver() {
  if (!is_finished_ || !is_context_done_ || reading_ || writing_) return;
  context_->calls->Remove(this);
  delete this;
}

}  // namespace rondo
