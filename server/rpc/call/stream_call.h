#ifndef RONDO_SERVER_RPC_CALL_STREAM_CALL_H_
#define RONDO_SERVER_RPC_CALL_STREAM_CALL_H_

#include <grpcpp/support/async_stream.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/refusal/refusal.h"
#include "server/rpc/call/message_ring.h"
#include "server/rpc/call/read_pace.h"
#include "server/rpc/call/rpc_call.h"
#include "server/rpc/call/status.h"
#include "server/serve/moved_sessions.h"
#include "server/serve/predict_message.h"

namespace rondo {

// One stream of messages, which are read ahead, run as they come, and are answered in order. `Rpc` is StreamPredictRpc
// or ModelStreamInferRpc. One read and one write are under way at most.
template <typename Rpc>
class StreamCall : public RpcCall, private PredictMessage::Owner {
 public:
  using Service = typename Rpc::Service;
  using Message = typename Rpc::Message;

  StreamCall(const RpcContext* context, Service* service)
      : RpcCall(context), service_(service), ring_(context->limits.max_pipelined_messages) {
    Await(service_, Rpc::kRequest, &stream_);
  }
  ~StreamCall() override {
    if (arrived()) context()->open_streams->fetch_sub(1);
  }

  void Drain() override;
  void Leave() override;

 private:
  enum class Phase {
    kReading,    // messages come
    kAnswering,  // none comes any more: the stream ends after the reply to the last
    kStaying,    // the server drains: the stream ends when what it did is durable
    kLeaving,    // it is durable: after the last reply the stream says where its sessions stand, and ends
    kBroken,     // the client is gone, or an error ends the stream: replies are dropped
  };

  void OnArrived() override;
  void OnCancelled() override;
  void OnMessageDone() override { Advance(); }
  void OnRead(bool ok);
  void OnReadNext(bool ok);
  void OnWritten(bool ok);
  void OnSaidGoingAway(bool ok);

  // Starts the next read, if more may come and a place is free.
  void ReadNext();
  // Starts the next read after a message, now or behind the turn's replies.
  void ReadOn();
  // Writes the oldest reply if it is ready; ends the stream once nothing is left to do.
  void Advance();
  // What Advance does once every message is answered.
  void EndIfDue();
  // True: the protocol has a last word, and it is on its way.
  bool SaysGoingAway();
  void Finish(const absl::Status& status) { stream_.Finish(ToGrpcStatus(status, server_context()), BeginFinish()); }
  // From now on replies are dropped, and what runs for them is cancelled.
  void Break();

  Service* const service_;
  grpc::ServerAsyncReaderWriter<typename Rpc::Response, typename Rpc::Request> stream_{server_context()};
  CallEvent<&StreamCall::OnRead> read_{this};
  CallEvent<&StreamCall::OnReadNext> read_next_{this};
  CallEvent<&StreamCall::OnWritten> written_{this};
  CallEvent<&StreamCall::OnSaidGoingAway> said_going_away_{this};

  MessageRing<Message> ring_;
  ReadPace pace_;
  MovedSessions moved_;
  Phase phase_ = Phase::kReading;
  absl::Status end_;               // what the stream ends with
  bool read_next_posted_ = false;  // the event is in the loop's inbox
  bool writing_ = false;
  bool errors_end_ = false;  // An error ends the stream: the call's metadata says so.
};

template <typename Rpc>
void StreamCall<Rpc>::OnArrived() {
  Listen<StreamCall>(context(), service_);
  errors_end_ = Rpc::ErrorsEndStream(*server_context());
  const size_t open = context()->open_streams->fetch_add(1) + 1;
  if (open > context()->limits.max_streams) {
    const absl::Status status =
        Refuse(Why::kStreamsFull, absl::StrCat("the server has max_streams=", context()->limits.max_streams, " open"));
    RecordRefusal(status, context()->metrics);
    return Finish(status);
  }
  if (context()->draining->load(std::memory_order_relaxed)) return Finish(ShuttingDown());
  ReadNext();
}

template <typename Rpc>
void StreamCall<Rpc>::ReadNext() {
  if (phase_ != Phase::kReading || !ring_.CanRead()) return;
  Message* const message = ring_.BeginRead([this] {
    PredictMessage::Owner* const owner = this;
    return std::make_unique<Message>(context(), Rpc::kMethod, owner);
  });
  pace_.ReadStarted(context()->loop->turn());
  stream_.Read(message->request(), Begin(&read_));
}

template <typename Rpc>
void StreamCall<Rpc>::OnRead(bool ok) {
  if (ok && phase_ == Phase::kReading) {
    Message* const message = ring_.EndRead();
    ReadOn();
    return message->Start(absl::Now(), deadline());
  }
  ring_.DropRead();
  if (!ok && phase_ == Phase::kStaying) end_ = absl::OkStatus();  // the client has ended its side: it has every answer
  if (!ok && (phase_ == Phase::kReading || phase_ == Phase::kStaying)) phase_ = Phase::kAnswering;
  Advance();
}

template <typename Rpc>
void StreamCall<Rpc>::ReadOn() {
  if (pace_.ReadsOnAtOnce(context()->loop->turn())) return ReadNext();
  if (read_next_posted_) return;
  read_next_posted_ = true;
  context()->loop->Post(Begin(&read_next_));
}

template <typename Rpc>
void StreamCall<Rpc>::OnReadNext(bool) {
  read_next_posted_ = false;
  ReadNext();
}

template <typename Rpc>
void StreamCall<Rpc>::Advance() {
  while (!writing_ && !finishing()) {
    if (ring_.empty()) return EndIfDue();
    Message* const message = ring_.oldest();
    if (message->running()) return;
    if (errors_end_ && phase_ != Phase::kBroken && !message->refusal().ok()) {
      end_ = message->refusal();
      Break();
    } else if (phase_ == Phase::kBroken) {
      ring_.FreeOldest();
    } else {
      Rpc::NoteMoved(*message, &moved_);
      writing_ = true;
      stream_.Write(message->response(), Begin(&written_));
    }
  }
}

template <typename Rpc>
void StreamCall<Rpc>::EndIfDue() {
  if (phase_ == Phase::kReading || phase_ == Phase::kStaying) return;
  if (phase_ == Phase::kLeaving && SaysGoingAway()) return;
  Finish(end_);
}

template <typename Rpc>
bool StreamCall<Rpc>::SaysGoingAway() {
  phase_ = Phase::kAnswering;
  typename Rpc::Response last;
  if (!Rpc::SayGoingAway(moved_, &last)) return false;
  writing_ = true;
  stream_.Write(last, Begin(&said_going_away_));
  return true;
}

template <typename Rpc>
void StreamCall<Rpc>::OnSaidGoingAway(bool) {
  writing_ = false;
  Advance();
}

template <typename Rpc>
void StreamCall<Rpc>::OnWritten(bool ok) {
  writing_ = false;
  ring_.FreeOldest();
  if (!ok) Break();
  ReadNext();
  Advance();
}

template <typename Rpc>
void StreamCall<Rpc>::OnCancelled() {
  Break();
  Advance();
}

template <typename Rpc>
void StreamCall<Rpc>::Drain() {
  if (phase_ != Phase::kReading || finishing()) return;  // it ends by itself
  ReadNext();                                            // the last one: it tells when the client ends its side
  phase_ = Phase::kStaying;
  end_ = ShuttingDown();
  Advance();
}

template <typename Rpc>
void StreamCall<Rpc>::Leave() {
  if (phase_ != Phase::kStaying) return;
  phase_ = Phase::kLeaving;
  Advance();
}

template <typename Rpc>
void StreamCall<Rpc>::Break() {
  phase_ = Phase::kBroken;
  ring_.CancelAll();
}

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_STREAM_CALL_H_
