#ifndef RONDO_SERVER_RPC_NATIVE_SESSION_CALL_H_
#define RONDO_SERVER_RPC_NATIVE_SESSION_CALL_H_

#include <grpcpp/server_context.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/rpc/call/call.h"
#include "server/rpc/call/rpc_context.h"
#include "server/session/session_lease.h"
#include "server/session/session_table.h"

namespace rondo {

// A unary call about sessions, all of it but the types of its messages. It waits for what it needs, in this order: the
// store, for a session that may be there only; the lease of a session, in that session's queue as every request does;
// the store once more, for what it did to be durable. A client that cancels or whose deadline passes leaves the queues.
// Owns itself. SessionMethod has the rest.
class SessionCall : public Call, private LeaseWaiter, private CommitWaiter {
 protected:
  explicit SessionCall(const RpcContext* context);

  // The session that Handle will ask the table for; empty: none.
  virtual std::string RestoredId() const = 0;
  // Whether Handle gets a lease, and of which session.
  virtual bool Leases() const = 0;
  virtual const std::string& LeasedId() const = 0;
  // What the call does; the lease ends with it, or before.
  virtual absl::Status Handle(SessionLease lease) = 0;
  // The session that Handle has made or ended; empty: none.
  virtual std::string ChangedId() const = 0;
  // Sends the response, or the error if `status` is one; `tag` comes back when it is sent.
  virtual void Send(const grpc::Status& status, void* tag) = 0;
  // Waits for the next such call.
  virtual void ListenAgain() = 0;

  const RpcContext* context() const { return context_; }
  grpc::ServerContext* server_context() { return &server_context_; }
  void* arrived_tag() { return &arrived_; }

 private:
  enum class Stage { kRestoring, kLeasing, kSyncing, kDone };

  void OnArrived(bool ok);
  void OnGranted(bool ok);
  void OnSynced(bool ok);
  void OnFinished(bool ok);
  void OnContextDone(bool ok);
  void OnLease(absl::StatusOr<SessionLease> lease) override;
  void OnCommitted(const absl::Status& status) override;

  void Restore();
  // OK, or NOT_FOUND: then Handle may want just that.
  void Lease(const absl::Status& restored);
  void Run(SessionLease lease);
  absl::Status Cancelled() const;
  void Reply(const absl::Status& status);
  void DeleteWhenOver();

  const RpcContext* const context_;
  grpc::ServerContext server_context_;
  Stage stage_ = Stage::kDone;
  std::string waited_for_;  // the id in whose queue it is; empty: in none
  absl::Status restored_;
  // Written by OnLease and OnCommitted on any thread; the inbox hands them over.
  absl::StatusOr<SessionLease> granted_lease_;
  absl::Status synced_status_;
  bool is_cancelled_ = false;
  bool is_finished_ = false;
  bool is_context_done_ = false;
  MethodEvent<SessionCall> arrived_{this, &SessionCall::OnArrived};
  MethodEvent<SessionCall> granted_{this, &SessionCall::OnGranted};
  MethodEvent<SessionCall> synced_{this, &SessionCall::OnSynced};
  MethodEvent<SessionCall> finished_{this, &SessionCall::OnFinished};
  MethodEvent<SessionCall> context_done_{this, &SessionCall::OnContextDone};
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_SESSION_CALL_H_
