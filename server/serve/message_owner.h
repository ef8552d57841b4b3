#ifndef RONDO_SERVER_SERVE_MESSAGE_OWNER_H_
#define RONDO_SERVER_SERVE_MESSAGE_OWNER_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/loop/flow.h"
#include "server/serve/clients.h"
#include "server/serve/tenant_quota.h"
#include "server/session/lease_waiter.h"
#include "server/tracing/span_source.h"

namespace rondo {

// Who has sent a call, for the log; asked only when a line is written.
class Caller {
 public:
  virtual ~Caller() = default;
  virtual std::string peer() const = 0;
  virtual std::string request_id() const = 0;  // as the client gave it; may be empty
};

// Whoever has a request and its reply made, whatever kind they are of: a call.
class MessageOwner {
 public:
  virtual ~MessageOwner() = default;
  // The reply is complete: it may be written, and the message may be used again.
  virtual void OnMessageDone() = 0;

  // Says whose requests these are from now on: `client` shares turns and has a budget, `caller`, which outlives the
  // owner, is named in the log. `order`: of which loop and connection they are. REQUIRES: no request has been started.
  void ComesFrom(std::shared_ptr<Client> client, const RequestOrder& order, const Caller* caller) {
    client_ = std::move(client);
    order_ = order;
    caller_ = caller;
    flow_.BelongTo(&client_->flows[order.loop]);
  }
  // Says whose sessions the requests name from now on, and what they may take. What both point to outlives the owner.
  // REQUIRES: no request has been started.
  void BelongTo(absl::string_view tenant, TenantQuota* quota) {
    tenant_ = tenant;
    quota_ = quota;
  }
  // Says which of the requests are traced from now on; null: none. `source` outlives the owner. REQUIRES: as ComesFrom.
  void TraceBy(const SpanSource* source) { span_source_ = source; }
  // Takes all of that over from `other`. REQUIRES: as above.
  void ComesFrom(const MessageOwner& other) {
    if (other.client_ != nullptr) ComesFrom(other.client_, other.order_, other.caller_);
    BelongTo(other.tenant_, other.quota_);
    TraceBy(other.span_source_);
  }

  // Empty: the tenant without a name.
  absl::string_view tenant() const { return tenant_; }
  // Null: no limit.
  TenantQuota* quota() const { return quota_; }
  // The owner's requests take turns with those of other owners.
  Flow* flow() { return &flow_; }
  // What its requests are charged to, or null.
  WorkBudget* budget() const { return client_ == nullptr ? nullptr : &client_->budget; }
  const RequestOrder& order() const { return order_; }
  // The trace of a request that arrives now; null: it is not sampled.
  std::unique_ptr<MessageTrace> BeginTrace(absl::Time came, absl::Time arrived) const {
    return span_source_ == nullptr ? nullptr : span_source_->Begin(came, arrived);
  }
  // May be null.
  const Caller* caller() const { return caller_; }

 private:
  std::shared_ptr<Client> client_;
  RequestOrder order_;
  const Caller* caller_ = nullptr;
  absl::string_view tenant_;
  TenantQuota* quota_ = nullptr;
  const SpanSource* span_source_ = nullptr;
  Flow flow_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_MESSAGE_OWNER_H_
