#ifndef RONDO_SERVER_RPC_SESSION_CALL_H_
#define RONDO_SERVER_RPC_SESSION_CALL_H_

#include <grpcpp/server_context.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/rpc/call.h"
#include "server/rpc/rpc_context.h"
#include "server/session/session_lease.h"
#include "server/session/session_table.h"

namespace rondo {

// A unary call that does one thing to one session and answers at once: all of it but the types of its messages. It
// waits in the session's queue as every request does; a client that cancels or whose deadline passes leaves the queue.
// Owns itself. SessionMethod has the rest.
class SessionCall : public Call, private LeaseWaiter {
 protected:
  explicit SessionCall(const RpcContext* context);

  // What arrives, and what it does with its session; the lease ends with it, or before.
  virtual const std::string& session_id() const = 0;
  virtual absl::Status Handle(SessionLease lease) = 0;
  // Sends the response, or the error if `status` is one; `tag` comes back when it is sent.
  virtual void Send(const grpc::Status& status, void* tag) = 0;
  // Waits for the next such call.
  virtual void ListenAgain() = 0;

  const RpcContext* context() const { return context_; }
  grpc::ServerContext* server_context() { return &server_context_; }
  void* arrived_tag() { return &arrived_; }

 private:
  void OnArrived(bool ok);
  void OnGranted(bool ok);
  void OnFinished(bool ok);
  void OnContextDone(bool ok);
  void OnLease(absl::StatusOr<SessionLease> lease) override;

  absl::Status Cancelled() const;
  void Reply(const absl::Status& status);
  void DeleteWhenOver();

  const RpcContext* const context_;
  grpc::ServerContext server_context_;
  absl::StatusOr<SessionLease> granted_lease_;  // written by OnLease on any thread; the inbox hands it over
  bool is_waiting_ = false;
  bool is_cancelled_ = false;
  bool is_finished_ = false;
  bool is_context_done_ = false;
  MethodEvent<SessionCall> arrived_{this, &SessionCall::OnArrived};
  MethodEvent<SessionCall> granted_{this, &SessionCall::OnGranted};
  MethodEvent<SessionCall> finished_{this, &SessionCall::OnFinished};
  MethodEvent<SessionCall> context_done_{this, &SessionCall::OnContextDone};
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_SESSION_CALL_H_
