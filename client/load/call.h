#ifndef RONDO_CLIENT_LOAD_CALL_H_
#define RONDO_CLIENT_LOAD_CALL_H_

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <memory>
#include <string>

#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/codegen/proto_utils.h"  // messages as MessageLite

namespace rondo::load {

// Calls any method by its name; its messages are known to the caller alone.
using AnyStub = grpc::TemplatedGenericStub<google::protobuf::MessageLite, google::protobuf::MessageLite>;

// How the messages of one lane travel: one long stream, or a unary call each. All work is done by the completion
// queue's thread; each of its tags is a Call::Tag.
//
// Ownership: borrows the stub, the queue and the message that replies are read into. It lives until the queue is shut
// down and drained.
class Call {
 public:
  enum class Op { kOpened, kWritten, kRead, kHalfClosed, kFinished };
  enum class Event {
    kNone,
    kReply,   // it has been read; call Resume() once it has been looked at
    kFailed,  // the message failed as a whole, status() says why; the call goes on
    kEnded,   // nothing more can be sent; status() says why
  };
  struct Tag {
    Call* call;
    Op op;
  };

  virtual ~Call() = default;

  virtual bool CanWrite() const = 0;
  // A message is on its way out. Its reply may come before gRPC says that it was sent.
  virtual bool writing() const = 0;
  // Sends a copy. REQUIRES: CanWrite().
  virtual void Write(const google::protobuf::MessageLite& request) = 0;
  virtual Event OnEvent(Op op, bool ok) = 0;
  virtual void Resume() = 0;
  // Ends the call in peace: kEnded comes once the server has ended it too. REQUIRES: !writing(), nothing in flight.
  virtual void Close() = 0;
  // Ends the call at once.
  virtual void Cancel() = 0;
  virtual bool ended() const = 0;

  const grpc::Status& status() const { return status_; }
  size_t lane() const { return lane_; }

 protected:
  explicit Call(size_t lane) : lane_(lane) {}

  grpc::Status status_;

 private:
  const size_t lane_;
};

// The facts that a call needs from its owner.
struct CallPlan {
  size_t lane = 0;  // the owner's index, returned by Call::lane()
  AnyStub* stub = nullptr;
  std::string method;                              // gRPC's name of it
  google::protobuf::MessageLite* reply = nullptr;  // replies are read into it
  grpc::CompletionQueue* queue = nullptr;
};

// The stream starts to open at once.
std::unique_ptr<Call> OpenStream(const CallPlan& plan);
std::unique_ptr<Call> MakeUnaryCall(const CallPlan& plan);

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_CALL_H_
