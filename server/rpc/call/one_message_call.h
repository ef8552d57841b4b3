#ifndef RONDO_SERVER_RPC_CALL_ONE_MESSAGE_CALL_H_
#define RONDO_SERVER_RPC_CALL_ONE_MESSAGE_CALL_H_

#include <string>

#include "base/invalid.h"
#include "base/steady_time.h"
#include "server/refusal/refusal.h"
#include "server/rpc/call/awaited_messages.h"
#include "server/rpc/call/rpc_call.h"
#include "server/serve/record_refusal.h"

namespace rondo {

// A call whose client sends one message. The message is read once the call has passed the gate, and has to come in
// time.
class OneMessageCall : public RpcCall, private AwaitedMessage {
 public:
  void Drain() final { has_message_ ? OnDrain() : EndAwaiting(); }
  void Leave() final {
    if (!has_message_) EndAwaiting();
  }

 protected:
  using RpcCall::RpcCall;

  // Read the message; `event`: when it has come.
  virtual void ReadMessage(Event* event) = 0;
  // The message has come: begin.
  virtual void OnMessage() = 0;
  // As OnCancelled and Drain of a call whose message has come.
  virtual void OnGone() {}
  virtual void OnDrain() {}

  bool has_message() const { return has_message_; }

 private:
  void OnAdmitted() final {
    context()->awaited->Add(this, context()->loop->times_read_all(), SteadyNow());
    ReadMessage(Begin(&read_));
  }
  void OnRead(bool ok) {
    if (!context()->awaited->Remove(this)) return;  // given up: the call is finishing
    if (!ok) return OnDenied(Invalid("the call brought no message, or one that is none of ", rule()->method));
    if (is_gone_) return OnDenied(CancelledByClient());  // gRPC may tell of the end before the message
    has_message_ = true;
    OnMessage();
  }
  void OnCancelled() final {
    is_gone_ = true;
    if (has_message_) OnGone();
  }

  std::string Holder() const override { return ClientName(); }
  void GiveUp(const absl::Status& why) override {
    RecordRefusal(why, {rule()->method, "", "", this}, context()->metrics);
    OnDenied(why);
  }
  void EndAwaiting() {
    if (context()->awaited->Remove(this)) OnDenied(ShuttingDown());
  }

  bool has_message_ = false;
  bool is_gone_ = false;  // the client
  CallEvent<&OneMessageCall::OnRead> read_{this};
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_ONE_MESSAGE_CALL_H_
