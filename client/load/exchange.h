#ifndef RONDO_CLIENT_LOAD_EXCHANGE_H_
#define RONDO_CLIENT_LOAD_EXCHANGE_H_

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/load/load_options.h"
#include "rondo/v1/models.pb.h"

namespace rondo::load {

// The shape of every message of a run.
struct MessageShape {
  v1::Model model;
  Protocol protocol = Protocol::kNative;
  bool unary = false;
  int sessions_per_message = 1;
  int timesteps = 1;  // of each sequence
  bool stateless = false;
  bool string_ids = false;    // of Open Inference sequences; else integers
  ForeignTensors foreign;     // Open Inference; without a shape the tensors are rondo-server's
  int64_t lane_sessions = 0;  // a lane's messages draw theirs from so many; 0: every message steps all of the lane's
};

// The judgement of the reply to one message.
struct Verdict {
  std::string error;    // a google.rpc.Code's name, "INFER_ERROR" or "WRONG_REPLY"; empty: answered as it should be
  std::string message;  // what the server said, or what is wrong with the reply
};

// Makes one lane's messages to a server in the lane's protocol, and judges the answers. An exchange has one request and
// one reply, made once and used for every message; only what changes from message to message is patched.
//
// Pure policy: no gRPC call, clock or lock.
class Exchange {
 public:
  virtual ~Exchange() = default;

  // The next request names a session that none has named before, of those that later requests will draw from.
  virtual bool creating() const { return false; }

  // The next request, sent behind `in_flight` unanswered ones. Valid until the next call.
  virtual const google::protobuf::MessageLite& Next(size_t in_flight) = 0;
  // A request that only ends the sessions; null: the protocol needs none, or no session lives. Not before all replies.
  virtual const google::protobuf::MessageLite* Last() = 0;
  // The message that the next reply is to be read into.
  virtual google::protobuf::MessageLite* reply() = 0;
  // True if the message that was read answers no request: the server goes away, and the stream ends.
  virtual bool IsGoodbye() const { return false; }
  // The reply to the oldest unanswered request is there.
  virtual Verdict OnReply() = 0;
  // The oldest unanswered request failed as a whole.
  virtual void OnFailure() = 0;
  // The ids of the sessions that may live on the server; none before the first message and for a stateless lane.
  virtual std::vector<std::string> SessionIds() const = 0;

 protected:
  Exchange() = default;
};

// gRPC's name of the method that carries such messages.
std::string MethodOf(const MessageShape& shape);

// `run`: random bits, so that no two runs share a session; with `lane` they make the ids. `seed` fixes the values: for
// one model they do not differ between messages or protocols.
std::unique_ptr<Exchange> MakeExchange(const MessageShape& shape, uint64_t run, int lane, uint64_t seed);

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_EXCHANGE_H_
