#ifndef RONDO_CLIENT_LOAD_CALL_H_
#define RONDO_CLIENT_LOAD_CALL_H_

#include <cstddef>
#include <memory>

#include "grpcpp/grpcpp.h"
#include "rondo/v1/inference.grpc.pb.h"

namespace rondo::load {

// How the messages of one lane travel: one long stream, or a unary call each. All work is done by the completion
// queue's thread; each of its tags is a Call::Tag.
//
// Ownership: borrows the stub and the queue. It lives until the queue is shut down and drained.
class Call {
 public:
  enum class Op { kOpened, kWritten, kRead, kHalfClosed, kFinished };
  enum class Event {
    kNone,
    kReply,   // reply() holds it; call Resume() once it has been looked at
    kFailed,  // the message failed as a whole, status() says why; the call goes on
    kEnded,   // nothing more can be sent; status() says why
  };
  struct Tag {
    Call* call;
    Op op;
  };

  virtual ~Call() = default;

  virtual bool CanWrite() const = 0;
  // Sends a copy. REQUIRES: CanWrite().
  virtual void Write(const v1::PredictRequest& request) = 0;
  virtual Event OnEvent(Op op, bool ok) = 0;
  virtual void Resume() = 0;
  // Ends the call in peace: kEnded comes once the server has ended it too. REQUIRES: no message is in flight.
  virtual void Close() = 0;
  // Ends it at once.
  virtual void Cancel() = 0;
  virtual bool ended() const = 0;

  const v1::PredictResponse& reply() const { return reply_; }
  const grpc::Status& status() const { return status_; }
  size_t lane() const { return lane_; }

 protected:
  explicit Call(size_t lane) : lane_(lane) {}

  v1::PredictResponse reply_;
  grpc::Status status_;

 private:
  const size_t lane_;
};

// `lane` is the owner's index, returned by Call::lane(). The stream starts to open at once.
std::unique_ptr<Call> OpenStream(size_t lane, v1::Inference::Stub* stub, grpc::CompletionQueue* queue);
std::unique_ptr<Call> MakeUnaryCall(size_t lane, v1::Inference::Stub* stub, grpc::CompletionQueue* queue);

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_CALL_H_
