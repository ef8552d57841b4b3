#include "server/session/session_table.h"

#include <utility>

#include "server/session/durable_sessions.h"
#include "server/session/resident_sessions.h"
#include "server/session/session_listing.h"

namespace rondo {

SessionTable::SessionTable(const Options& options, SessionPersistence persistence)
    : resident_(std::make_unique<ResidentSessions>(options)),
      listing_(std::make_unique<SessionListing>(resident_->shards())),
      durable_(persistence.store == nullptr
                   ? nullptr
                   : std::make_unique<DurableSessions>(resident_.get(), std::move(persistence))) {}

SessionTable::~SessionTable() = default;

absl::StatusOr<SessionInfo> SessionTable::Create(absl::string_view id, const ServedModelPtr& model,
                                                 std::optional<absl::Duration> idle_timeout, absl::Time now) {
  return resident_->Create(id, model, idle_timeout, now);
}

absl::StatusOr<SessionInfo> SessionTable::Import(const SessionRecord& record, const ServedModelPtr& model,
                                                 absl::Time now) {
  return resident_->Import(record, model, now);
}

absl::StatusOr<std::optional<SessionLease>> SessionTable::Acquire(absl::string_view id, const ServedModelPtr* create_as,
                                                                  LeaseWaiter* waiter, absl::Time now) {
  return resident_->Acquire(id, create_as, waiter, now);
}

absl::StatusOr<bool> SessionTable::Restore(absl::string_view id, LeaseWaiter* waiter, absl::Time now) {
  return durable_ == nullptr ? true : durable_->Restore(id, waiter, now);
}

bool SessionTable::Sync(absl::string_view id, CommitWaiter* waiter) {
  return durable_ == nullptr || durable_->Sync(id, waiter);
}

bool SessionTable::CancelWait(absl::string_view id, LeaseWaiter* waiter) { return resident_->CancelWait(id, waiter); }

SessionLease SessionTable::AcquireStateless(const ServedModelPtr& model) { return resident_->AcquireStateless(model); }

absl::StatusOr<SessionInfo> SessionTable::Get(absl::string_view id, absl::Time now) const {
  return resident_->Get(id, now);
}

absl::Status SessionTable::Delete(absl::string_view id, absl::Time /*now*/) { return resident_->Delete(id); }

absl::StatusOr<std::vector<SessionInfo>> SessionTable::List(absl::string_view model, size_t page_size, absl::Time now,
                                                            std::string* page_token) const {
  return listing_->List(model, page_size, now, page_token);
}

size_t SessionTable::ExpireIdle(absl::Time now) { return resident_->ExpireIdle(now); }

bool SessionTable::Flush(absl::Time deadline) { return durable_ == nullptr || durable_->Flush(deadline); }

size_t SessionTable::CountUnsaved() const { return durable_ == nullptr ? 0 : durable_->CountUnsaved(); }

size_t SessionTable::size() const { return resident_->size(); }

bool SessionTable::has_store() const { return durable_ != nullptr; }

bool SessionTable::durable_replies() const { return resident_->commits_wait(); }

size_t SessionTable::state_bytes() const { return resident_->states().bytes(); }

}  // namespace rondo
