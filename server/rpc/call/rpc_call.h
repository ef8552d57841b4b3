#ifndef RONDO_SERVER_RPC_CALL_RPC_CALL_H_
#define RONDO_SERVER_RPC_CALL_RPC_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/steady_time.h"
#include "server/rpc/call/call.h"
#include "server/rpc/call/headers_first.h"
#include "server/rpc/call/rpc_context.h"
#include "server/rpc/call/shown.h"
#include "server/rpc/call/status.h"
#include "server/serve/message_owner.h"
#include "server/serve/record_refusal.h"
#include "server/tracing/span_source.h"

namespace rondo {

// A call that gRPC brings, on the loop of its context. Each call has to pass the gate.
class RpcCall : public Call, public Caller {
 protected:
  RpcCall(const RpcContext* context, const ServedMethod& method) : context_(context), method_(method) {
    server_context_.AsyncNotifyWhenDone(done_event());
  }
  ~RpcCall() override {
    if (reply_bytes_ > 0) client_->budget.GiveBack({0, reply_bytes_});
  }

  // Awaits the next call of this kind.
  virtual void ListenAgain() = 0;
  // The call has arrived, and its caller may make it: begin.
  virtual void OnAdmitted() = 0;
  // Finish with this error.
  virtual void OnDenied(const absl::Status& status) = 0;

  // Awaits the call, whose messages will be read and written by `stream`.
  void Await(grpc::internal::ServerAsyncStreamingInterface* stream) {
    method_.service->Await(method_.index, &server_context_, stream, context_->loop->queue(), BeginArrival());
  }

  // Finishes a unary call: with `response`, or with an error if `status` is one.
  template <typename Response, typename Request>
  void FinishUnary(grpc::ServerAsyncReader<Response, Request>* stream, const Response& response,
                   const absl::Status& status) {
    if (trace_ != nullptr) EndTrace(status);
    if (status.ok()) return stream->Finish(response, grpc::Status::OK, BeginFinish());
    stream->FinishWithError(ToGrpcStatus(status, &server_context_), BeginFinish());
  }

  const RpcContext* context() const { return context_; }
  grpc::ServerContext* server_context() { return &server_context_; }
  // By SteadyNow().
  absl::Time deadline() const { return absl::FromChrono(server_context_.deadline()) - WallAhead(); }
  const ServedMethod& method() const { return method_; }
  const MethodRule* rule() const { return method_.rule; }
  // Who calls, as the gate knows them. REQUIRES: OnAdmitted has been called.
  const Principal& principal() const { return principal_; }
  // What the client is called, in whose name the call comes. REQUIRES: OnAdmitted has been called.
  std::string ClientName() const {
    const std::string peer = server_context_.peer();
    return std::string(ClientNameOf(peer));
  }
  // Takes the bytes of a request without steps from its tenant's quota. RESOURCE_EXHAUSTED: the tenant has taken what
  // it may. REQUIRES: OnAdmitted has been called.
  absl::Status TakeRequest(size_t bytes) const {
    return rule()->role == Role::kAnyone ? absl::OkStatus() : principal_.tenant->quota()->TakeBytes(bytes);
  }
  // Takes the bytes of the reply to such a request from that quota, and what it holds until the client has read it from
  // the client's budget; small ones hold nothing. RESOURCE_EXHAUSTED: there is no room. Once at most. REQUIRES:
  // OnAdmitted has been called.
  absl::Status TakeReply(size_t bytes) {
    if (rule()->role != Role::kAnyone) principal_.tenant->quota()->OweBytes(bytes, SteadyNow());
    constexpr size_t kSmallReply = 4 << 10;
    if (bytes <= kSmallReply) return absl::OkStatus();
    client_ = FindClient(server_context_.peer());
    const absl::Status status = client_->budget.Take({0, bytes});
    if (status.ok()) reply_bytes_ = bytes;
    return status;
  }
  // Says whose the requests of `owner` are. `unary`: other calls of the connection may bring more of its requests.
  // REQUIRES: OnAdmitted has been called.
  void Identify(bool unary, MessageOwner* owner) {
    const std::string peer = server_context_.peer();
    RequestOrder order;
    order.loop = static_cast<uint16_t>(context_->loop_number);
    if (unary) order.connection = ConnectionOfPeer(peer);
    owner->ComesFrom(FindClient(peer), order, this);
    owner->BelongTo(principal_.tenant->name(), principal_.tenant->quota());
    if (context_->tracer != nullptr) owner->TraceBy(FindSpanSource());
  }
  // Traces the call itself, if it is sampled: for one without messages, which FinishUnary ends. REQUIRES: OnAdmitted
  // has been called.
  void TraceCall() {
    if (context_->tracer == nullptr) return;
    const absl::Time now = SteadyNow();
    if (const SpanSource* const source = FindSpanSource()) trace_ = source->Begin(now, now);
  }
  // Of TraceCall. Null: the call is not sampled.
  MessageTrace* trace() const { return trace_.get(); }

 private:
  void OnArrived() final {
    ListenAgain();
    if (IsLogged(LogLevel::kDebug)) LogCall();
    absl::StatusOr<Principal> principal =
        context_->gate->Admit(rule(), ShownBy(server_context_, *context_->gate), absl::Now());
    if (principal.ok() && Gate::ClaimsConnection(*rule(), principal->tenant)) {
      absl::Status claimed = context_->gate->ClaimConnection(server_context_.peer(), principal->tenant);
      if (!claimed.ok()) principal = std::move(claimed);
    }
    if (principal.ok()) {
      principal_ = *principal;
      return OnAdmitted();
    }
    RecordRefusal(principal.status(), {rule() == nullptr ? "" : rule()->method, "", "", this}, context_->metrics);
    OnDenied(principal.status());
  }
  void LogCall() const {
    LogEvent(LogLevel::kDebug, "call",
             {{"method", rule() == nullptr ? "" : std::string(rule()->method)},
              {"peer", peer()},
              {"request_id", request_id()}});
  }
  // Null: nothing of the call is sampled, as nothing that anyone may call is: a prober asks for health all day.
  const SpanSource* FindSpanSource() {
    if (rule()->role == Role::kAnyone) return nullptr;
    span_source_ = context_->tracer->SourceFor(rule()->method, Metadata("traceparent"), Metadata("tracestate"));
    return span_source_ ? &*span_source_ : nullptr;
  }
  void EndTrace(const absl::Status& status) {
    trace_->ended = SteadyNow();
    trace_->code = status.code();
    OfferSpans(std::move(*trace_));
    trace_ = nullptr;
  }
  // Of the client's metadata the one of this name; empty: there is none, or several.
  absl::string_view Metadata(const char* name) const {
    const auto found = server_context_.client_metadata().equal_range(name);
    if (found.first == found.second || std::next(found.first) != found.second) return "";
    return absl::string_view(found.first->second.data(), found.first->second.size());
  }
  absl::string_view ClientNameOf(absl::string_view peer) const {
    const std::string& tenant = principal_.tenant->name();
    return tenant.empty() ? HostOfPeer(peer) : tenant;
  }
  std::shared_ptr<Client> FindClient(absl::string_view peer) const {
    return context_->clients->Find(ClientNameOf(peer));
  }
  std::string peer() const override { return server_context_.peer(); }
  std::string request_id() const override {
    constexpr size_t kMaxShown = 128;  // a client gives thousands of bytes if it likes
    const auto found = server_context_.client_metadata().find("x-request-id");
    if (found == server_context_.client_metadata().end()) return "";
    return std::string(found->second.data(), std::min(found->second.size(), kMaxShown));
  }
  bool IsCancelled() const override { return server_context_.IsCancelled(); }

  const RpcContext* const context_;
  const ServedMethod method_;
  grpc::ServerContext server_context_;
  Principal principal_;
  std::optional<SpanSource> span_source_;
  std::unique_ptr<MessageTrace> trace_;  // of a call without messages; null: it is not sampled
  std::shared_ptr<Client> client_;       // of TakeReply
  size_t reply_bytes_ = 0;               // taken from its budget
};

// Awaits a call of one kind on the context's loop. Each call that arrives calls this for the one after it.
template <typename Kind, typename... Args>
void Listen(const RpcContext* context, const Args&... args) {
  context->calls->Add(std::make_unique<Kind>(context, args...));
}

// Awaits several calls of a hot kind: gRPC can hand over so many before the first of them has been looked at.
template <typename Kind, typename... Args>
void ListenToMany(const RpcContext* context, const Args&... args) {
  constexpr int kListeners = 16;
  for (int i = 0; i < kListeners; ++i) Listen<Kind>(context, args...);
}

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_RPC_CALL_H_
