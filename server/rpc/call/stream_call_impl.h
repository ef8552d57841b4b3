// The definitions of stream_call.h, for the file of each protocol that makes an instance of it.
#ifndef RONDO_SERVER_RPC_CALL_STREAM_CALL_IMPL_H_
#define RONDO_SERVER_RPC_CALL_STREAM_CALL_IMPL_H_

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/rpc/call/status.h"
#include "server/rpc/call/stream_call.h"

namespace rondo {
template <typename Rpc>
void StreamCall<Rpc>::Listen(const RpcContext* context, Service* service) {
  new StreamCall(context, service);
}

template <typename Rpc>
StreamCall<Rpc>::StreamCall(const RpcContext* context, Service* service)
    : Call(context->calls), context_(context), service_(service), ring_(context->limits.max_pipelined_messages) {
  server_context_.AsyncNotifyWhenDone(&context_done_);
  grpc::ServerCompletionQueue* queue = context_->loop->queue();
  Rpc::Accept(service_, &server_context_, &stream_, queue, queue, &arrived_);
}

template <typename Rpc>
StreamCall<Rpc>::~StreamCall() {
  if (counted_) context_->open_streams->fetch_sub(1);
}

template <typename Rpc>
void StreamCall<Rpc>::OnArrived(bool ok) {
  if (!ok) {  // the server is shutting down; context_done_ will not come
    delete this;
    return;
  }
  context_->calls->Add(this);
  Listen(context_, service_);
  counted_ = true;
  errors_end_ = Rpc::ErrorsEndStream(server_context_);
  const size_t open = context_->open_streams->fetch_add(1) + 1;
  if (open > context_->limits.max_streams) {
    const absl::Status status = absl::ResourceExhaustedError(
        absl::StrCat("the server has max_streams=", context_->limits.max_streams, " open"));
    RecordRefusal(Rejection::kStreamsFull, status, context_->metrics);
    return Finish(status);
  }
  if (context_->draining->load(std::memory_order_relaxed)) return Finish(ShuttingDown());
  ReadNext();
}

template <typename Rpc>
void StreamCall<Rpc>::ReadNext() {
  if (reading_ || no_more_reads_ || broken_ || read_count_ - written_count_ == ring_.size()) return;
  std::unique_ptr<Message>& place = Place(read_count_);
  if (place == nullptr) {
    PredictMessage::Owner* const owner = this;
    place = std::make_unique<Message>(context_, Rpc::kMethod, owner);
  }
  reading_ = true;
  read_turn_ = context_->loop->turn();
  stream_.Read(place->request(), &read_);
}

template <typename Rpc>
void StreamCall<Rpc>::OnRead(bool ok) {
  reading_ = false;
  if (!ok || no_more_reads_ || broken_) {
    if (!ok && staying_) {  // the client has ended its side meanwhile, and has every answer
      staying_ = false;
      end_ = absl::OkStatus();
    }
    no_more_reads_ = true;
    WriteNext();
    return DeleteWhenOver();
  }
  Message* message = At(read_count_++);
  ReadOn();
  message->Start(absl::Now(), absl::FromChrono(server_context_.deadline()));
}

template <typename Rpc>
void StreamCall<Rpc>::ReadOn() {
  const bool was_there = read_turn_ == context_->loop->turn();
  const bool last_was_there = std::exchange(last_was_there_, was_there);
  if (was_there || last_was_there) {
    ReadNext();  // messages that wait in a row share a batch
  } else if (!std::exchange(read_posted_, true)) {
    context_->loop->Post(&read_next_);
  }
}

template <typename Rpc>
void StreamCall<Rpc>::OnReadNext(bool) {
  read_posted_ = false;
  ReadNext();
  DeleteWhenOver();
}

template <typename Rpc>
void StreamCall<Rpc>::OnMessageDone() {
  WriteNext();
}

template <typename Rpc>
void StreamCall<Rpc>::WriteNext() {
  if (writing_ || finishing_) return;
  if (written_count_ < read_count_) {
    Message* message = At(written_count_);
    if (message->running()) return;
    if (errors_end_ && !broken_ && !message->refusal().ok()) {
      end_ = message->refusal();
      no_more_reads_ = true;
      Break();
    }
    if (!broken_) {
      Rpc::NoteMoved(*message, &moved_);
      writing_ = true;
      return stream_.Write(message->response(), &written_);
    }
    FreeOldest();
    return WriteNext();
  }
  if (!broken_ && (staying_ || SaysGoingAway())) return;
  if (no_more_reads_ || broken_) Finish(end_);
}

template <typename Rpc>
void StreamCall<Rpc>::FreeOldest() {
  At(written_count_)->Clear();
  const size_t next_read = read_count_ + (reading_ ? 1 : 0);
  std::swap(Place(written_count_), Place(next_read));
  ++written_count_;
}

template <typename Rpc>
bool StreamCall<Rpc>::SaysGoingAway() {
  if (!std::exchange(leaving_, false)) return false;
  typename Rpc::Response last;
  if (!Rpc::SayGoingAway(moved_, &last)) return false;
  writing_ = true;
  stream_.Write(last, &said_going_away_);
  return true;
}

template <typename Rpc>
void StreamCall<Rpc>::OnSaidGoingAway(bool) {
  writing_ = false;
  WriteNext();
  DeleteWhenOver();
}

template <typename Rpc>
void StreamCall<Rpc>::OnWritten(bool ok) {
  writing_ = false;
  FreeOldest();
  if (!ok) Break();
  ReadNext();
  WriteNext();
  DeleteWhenOver();
}

template <typename Rpc>
void StreamCall<Rpc>::Drain() {
  if (no_more_reads_) return;  // it ends by itself
  ReadNext();                  // the last one: it tells when the client ends its side
  no_more_reads_ = staying_ = true;
  end_ = ShuttingDown();
  WriteNext();
}

template <typename Rpc>
void StreamCall<Rpc>::Leave() {
  leaving_ = std::exchange(staying_, false);
  WriteNext();
}

template <typename Rpc>
void StreamCall<Rpc>::Finish(const absl::Status& status) {
  finishing_ = true;
  no_more_reads_ = true;
  stream_.Finish(ToGrpcStatus(status, &server_context_), &finished_);
}

template <typename Rpc>
void StreamCall<Rpc>::OnFinished(bool) {
  is_finished_ = true;
  DeleteWhenOver();
}

template <typename Rpc>
void StreamCall<Rpc>::OnContextDone(bool) {
  is_context_done_ = true;
  if (server_context_.IsCancelled()) {
    Break();
    WriteNext();
  }
  DeleteWhenOver();
}

template <typename Rpc>
void StreamCall<Rpc>::Break() {
  broken_ = true;
  for (size_t i = written_count_; i < read_count_; ++i) At(i)->Cancel();
}

template <typename Rpc>
void StreamCall<Rpc>::DeleteWhenOver() {
  if (!is_finished_ || !is_context_done_ || reading_ || writing_ || read_posted_) return;
  delete this;
}

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_STREAM_CALL_IMPL_H_
