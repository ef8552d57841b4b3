#ifndef RONDO_SERVER_RPC_CALL_STREAM_CALL_H_
#define RONDO_SERVER_RPC_CALL_STREAM_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "server/rpc/call/call.h"
#include "server/rpc/call/rpc_context.h"
#include "server/serve/moved_sessions.h"
#include "server/serve/predict_message.h"

namespace rondo {

// One stream of messages. `Rpc` is StreamPredictRpc or ModelStreamInferRpc. Messages sit in a ring: they are read ahead
// into its free places, run as they come, and are answered in order. One read and one write are under way at most. Owns
// itself.
template <typename Rpc>
class StreamCall : public Call, private PredictMessage::Owner {
 public:
  using Service = typename Rpc::Service;
  using Message = typename Rpc::Message;

  // Waits for the next call on the context's loop, and from then on always for one more.
  static void Listen(const RpcContext* context, Service* service);

  void Drain() override;
  void Leave() override;

 private:
  StreamCall(const RpcContext* context, Service* service);
  ~StreamCall() override;

  void OnArrived(bool ok);
  void OnRead(bool ok);
  void OnReadNext(bool ok);
  void OnWritten(bool ok);
  void OnSaidGoingAway(bool ok);
  void OnFinished(bool ok);
  void OnContextDone(bool ok);
  void OnMessageDone() override;

  std::unique_ptr<Message>& Place(size_t index) { return ring_[index % ring_.size()]; }
  Message* At(size_t index) { return Place(index).get(); }
  // Reads into the next free place, if there is one and more may come.
  void ReadNext();
  // The same after a message, but behind the turn's replies if messages come one by one: gRPC then tells the client of
  // the window that the read opens with a reply, not in a packet of its own. That took 16 % of a lone stream's latency
  // away (performance.sh).
  void ReadOn();
  // Writes the oldest reply if it is ready; ends the stream once nothing is left to do.
  void WriteNext();
  // The oldest reply is dealt with. Its message is the next that is read into: it is in the cache, and a stream makes
  // no more messages than it has at once. With 128 streams this took 12 % of the CPU time of a message away.
  void FreeOldest();
  // True once the last message is on its way, if the stream has one to say.
  bool SaysGoingAway();
  // Starts the end of the call, with the first cause given.
  void Finish(const absl::Status& status);
  // Replies not yet written are dropped, and what runs for them is cancelled.
  void Break();
  void DeleteWhenOver();

  const RpcContext* const context_;
  Service* const service_;
  grpc::ServerContext server_context_;
  grpc::ServerAsyncReaderWriter<typename Rpc::Response, typename Rpc::Request> stream_{&server_context_};
  MethodEvent<StreamCall> arrived_{this, &StreamCall::OnArrived};
  MethodEvent<StreamCall> read_{this, &StreamCall::OnRead};
  MethodEvent<StreamCall> read_next_{this, &StreamCall::OnReadNext};
  MethodEvent<StreamCall> written_{this, &StreamCall::OnWritten};
  MethodEvent<StreamCall> said_going_away_{this, &StreamCall::OnSaidGoingAway};
  MethodEvent<StreamCall> finished_{this, &StreamCall::OnFinished};
  MethodEvent<StreamCall> context_done_{this, &StreamCall::OnContextDone};

  // Messages written_count_ .. read_count_ - 1 are running or wait for their turn to be written.
  std::vector<std::unique_ptr<Message>> ring_;  // made when first read into
  size_t read_count_ = 0;
  size_t written_count_ = 0;
  MovedSessions moved_;
  absl::Status end_;             // what the stream ends with
  uint64_t read_turn_ = 0;       // the loop's when the last read was started
  bool last_was_there_ = false;  // the last message but one had come before it was read
  bool reading_ = false;         // an operation of that kind is under way
  bool read_posted_ = false;     // read_next_ is in the loop's inbox
  bool writing_ = false;
  bool finishing_ = false;
  bool no_more_reads_ = false;  // the client has ended its side, or the server drains
  bool staying_ = false;        // the server drains: the stream ends when what it did is durable
  bool leaving_ = false;        // it is: one message more, and the end
  bool broken_ = false;         // the client is gone, or an error ends the stream: replies are dropped
  bool errors_end_ = false;     // the stream: as the call's metadata wants it
  bool counted_ = false;        // in open_streams
  bool is_finished_ = false;
  bool is_context_done_ = false;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_STREAM_CALL_H_
