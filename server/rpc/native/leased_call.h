#ifndef RONDO_SERVER_RPC_NATIVE_LEASED_CALL_H_
#define RONDO_SERVER_RPC_NATIVE_LEASED_CALL_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/rpc/call/one_message_call.h"
#include "server/rpc/call/unary_method.h"
#include "server/serve/session_wait.h"
#include "server/session/session_lease.h"

namespace rondo {

// A unary call about sessions, without the types of its messages. It waits for what it needs, in this order: the store,
// for a session that may be there only; the lease of a session, in that session's queue as every request does; the
// store once more, until what the call did is durable. A client that cancels or whose deadline passes leaves the
// queues.
class LeasedCall : public OneMessageCall {
 protected:
  using OneMessageCall::OneMessageCall;

  virtual size_t RequestBytes() const = 0;
  // The session that Handle will ask the table for; empty: none.
  virtual std::string RestoredId() const = 0;
  // The session whose lease Handle gets; null: it gets none.
  virtual const std::string* LeasedId() const = 0;
  // What the call does; the lease ends with it, or before.
  virtual absl::Status Handle(SessionLease lease) = 0;
  // Whether NOT_FOUND of Handle says that the session of RestoredId is not there, rather than something else that the
  // request names.
  virtual bool IsAboutRestored() const = 0;
  // The session that Handle has made or ended; empty: none.
  virtual std::string ChangedId() const = 0;
  // Goes on after Handle. False: the call is not over before `sync` has heard of the store; then Complete follows.
  virtual bool IsDone(SessionWait* sync);
  // The store has answered.
  virtual void Complete() {}
  // The change waits for the session store with any durability: nobody can make it again.
  virtual bool SyncsAlways() const = 0;
  // Counts and logs that the call is refused with `status`.
  virtual void Record(const absl::Status& status) const = 0;
  // The event of the log's line when the call has done what it does; empty: none is wanted.
  virtual absl::string_view AuditEvent() const = 0;
  // What that line names instead of one session; empty: the session.
  virtual std::string AuditedSessions() const = 0;
  // Returns the tenant whose sessions the ids name.
  absl::string_view tenant() const { return principal().tenant->name(); }
  // Finishes the call: with the response, or with an error if `status` is one.
  virtual void Send(const absl::Status& status) = 0;

 private:
  void OnMessage() override;
  void OnDenied(const absl::Status& status) override { Send(status); }
  void OnGone() override;
  void OnGranted(bool ok);
  void OnSynced(bool);

  void Restore();
  // `restored`: OK, or NOT_FOUND, which may be what Handle wants.
  void Lease(const absl::Status& restored);
  void Run(SessionLease lease);
  absl::Status Cancelled() const;
  void Reply(const absl::Status& status);
  void Audit() const;

  std::string restored_id_;  // empty: none
  bool restoring_ = false;   // what the call waits for is the session, not yet the lease
  bool cancelled_ = false;
  absl::Status restored_;
  CallEvent<&LeasedCall::OnGranted> granted_{this};
  CallEvent<&LeasedCall::OnSynced> synced_{this};
  SessionWait wait_{context(), &granted_};
  SessionWait sync_{context(), &synced_};
};

// What a rare unary method does about sessions: the steps of LeasedCall, for its types of messages.
template <typename Request, typename Response>
struct LeasedMethod {
  std::string (*restored_id)(const Request&);       // null: none
  const std::string* (*leased_id)(const Request&);  // null, or returns null: no session is leased
  absl::Status (*handle)(const RpcContext&, absl::string_view tenant, const Request&, SessionLease, Response*);
  std::string (*changed_id)(const Request&, const Response&);  // null: none
  absl::string_view audit_event = {};                          // see LeasedCall::AuditEvent
  bool asks = false;  // whether there is such a session: NOT_FOUND is no refusal
  std::string (*audited)(const Request&, const Response&) = nullptr;  // see LeasedCall::AuditedSessions; null: one
  bool (*syncs_always)(const Request&) = nullptr;                     // see LeasedCall::SyncsAlways; null: never
  bool is_about_restored = false;                                     // see LeasedCall::IsAboutRestored
};

template <typename Request, typename Response>
class LeasedMethodCall : public LeasedCall {
 public:
  LeasedMethodCall(const RpcContext* context, const ServedMethod& served, const LeasedMethod<Request, Response>& steps)
      : LeasedCall(context, served), steps_(steps) {
    Await(&stream_);
  }

 protected:
  const Request& request() const { return request_; }
  Response* response() { return &response_; }
  const LeasedMethod<Request, Response>& steps() const { return steps_; }

 private:
  void ListenAgain() override { Listen<LeasedMethodCall>(context(), method(), steps_); }
  void ReadMessage(Event* event) override { stream_.Read(&request_, event); }
  size_t RequestBytes() const override { return request_.ByteSizeLong(); }
  std::string RestoredId() const override {
    return steps_.restored_id == nullptr ? std::string() : steps_.restored_id(request_);
  }
  const std::string* LeasedId() const override {
    return steps_.leased_id == nullptr ? nullptr : steps_.leased_id(request_);
  }
  absl::Status Handle(SessionLease lease) override {
    return OrOutOfMemory([&] {
      const absl::Status handled = steps_.handle(*context(), tenant(), request_, std::move(lease), &response_);
      return handled.ok() ? TakeReply(response_.ByteSizeLong()) : handled;
    });
  }
  bool IsAboutRestored() const override { return steps_.is_about_restored; }
  std::string ChangedId() const override {
    return steps_.changed_id == nullptr ? std::string() : steps_.changed_id(request_, response_);
  }
  bool SyncsAlways() const override { return steps_.syncs_always != nullptr && steps_.syncs_always(request_); }
  void Record(const absl::Status& status) const override {
    if (steps_.asks && absl::IsNotFound(status)) return;
    RecordRefusal(status, {MethodOf<Request>(), "", "", this}, context()->metrics);
  }
  absl::string_view AuditEvent() const override { return steps_.audit_event; }
  std::string AuditedSessions() const override {
    return steps_.audited == nullptr ? std::string() : steps_.audited(request_, response_);
  }
  void Send(const absl::Status& status) override {
    FinishUnary(&stream_, response_, status);
    response_ = Response();  // gRPC has its bytes
  }

  const LeasedMethod<Request, Response> steps_;
  Request request_;
  Response response_;
  grpc::ServerAsyncReader<Response, Request> stream_{server_context()};
};

// Serves a method on the context's loop until the server shuts down, as ServeUnary does.
template <typename Api, typename Base, typename Request, typename Response>
void ServeLeased(const RpcContext* context, HeadersFirst<Api>* service, absl::string_view name,
                 UnaryMethod<Base, Request, Response> /*messages*/, const LeasedMethod<Request, Response>& steps) {
  Listen<LeasedMethodCall<Request, Response>>(context, MethodNamed(service, name), steps);
}

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_LEASED_CALL_H_
