#include "server/session/session_lease.h"

#include <utility>

#include "server/session/live_session.h"
#include "server/session/session_table.h"
#include "server/session/session_table_impl.h"

namespace rondo {

SessionLease::SessionLease(SessionTable* table, const ServedModelPtr& model)
    : table_(table), fresh_(table->impl_->FreshStartOf(model)) {}

SessionLease& SessionLease::operator=(SessionLease&& other) noexcept {
  if (this == &other) return *this;
  if (*this) EndWithoutCommit(absl::InfinitePast());
  table_ = other.table_;
  session_ = std::exchange(other.session_, nullptr);
  fresh_ = std::move(other.fresh_);
  adopter_ = std::move(other.adopter_);
  working_state_ = std::move(other.working_state_);
  return *this;
}

void SessionLease::Restart(const ServedModelPtr& model) { fresh_ = table_->impl_->FreshStartOf(model); }

void SessionLease::Adopt(ServedModelPtr model) { adopter_ = std::move(model); }

const ServedModelPtr& SessionLease::model() const {
  if (fresh_.model != nullptr) return fresh_.model;
  return adopter_ != nullptr ? adopter_ : session_->model;
}

float* SessionLease::state() { return fresh_.model != nullptr ? fresh_.state.get() : session_->state.get(); }

float* SessionLease::working_state() {
  if (working_state_.get() == nullptr) {
    working_state_ = table_->impl_->states().TakeUndefined(static_cast<size_t>(model()->spec().state_size()));
  }
  return working_state_.get();
}

float* SessionLease::next_state() {
  const bool in_place = fresh_.model != nullptr || !table_->impl_->commits_wait();
  return in_place ? state() : working_state();
}

int64_t SessionLease::position() const { return fresh_.model != nullptr ? 0 : session_->position; }

absl::Span<const float> SessionLease::last_output() const {
  const absl::Span<const float> reply = last_reply();
  const auto output_size = static_cast<size_t>(model()->spec().output_size());
  return reply.size() < output_size ? absl::Span<const float>() : reply.last(output_size);
}

std::optional<int64_t> SessionLease::last_time() const {
  return fresh_.model != nullptr ? std::nullopt : session_->last_time;
}

PositionCheck SessionLease::Check(std::optional<int64_t> position, int64_t timesteps, uint64_t fingerprint) const {
  const LiveSession& session = *session_;
  if (!position || *position == session.position) return PositionCheck::kRun;
  // The difference of two of our own positions: no position that a client makes up can overflow it.
  const bool is_last_request = session.last_timesteps > 0 && *position == session.position - session.last_timesteps &&
                               timesteps == session.last_timesteps && fingerprint == session.last_fingerprint;
  return is_last_request ? PositionCheck::kReplay : PositionCheck::kWrong;
}

absl::Span<const float> SessionLease::last_reply() const {
  return fresh_.model != nullptr ? absl::Span<const float>() : absl::MakeConstSpan(session_->last_reply);
}

std::optional<int64_t> SessionLease::durable_position() const {
  const int64_t position = session_->durable_position.load(std::memory_order_relaxed);
  return position == LiveSession::kNotDurable ? std::nullopt : std::optional<int64_t>(position);
}

std::optional<absl::Status> SessionLease::Commit(const CommittedSequence& sequence, absl::Time now,
                                                 CommitWaiter* waiter) {
  LeaseEnd end;
  end.committed = &sequence;
  end.now = now;
  end.fresh = std::move(fresh_);
  end.adopter = std::move(adopter_);
  LiveSession* const session = std::exchange(session_, nullptr);
  const bool waits = session != nullptr && table_->impl_->commits_wait();
  if (waits && end.fresh.model == nullptr) end.next_state = std::move(working_state_);
  working_state_.Reset();
  if (session == nullptr) return absl::OkStatus();
  if (!waits) return table_->impl_->EndLease(session, &end);
  table_->impl_->SaveThenEndLease(session, std::move(end), waiter);
  return std::nullopt;
}

bool SessionLease::Discard() {
  if (!table_->impl_->Discard(session_)) return false;
  session_ = nullptr;
  working_state_.Reset();
  return true;
}

void SessionLease::Release(absl::Time now) { EndWithoutCommit(now); }

void SessionLease::EndWithoutCommit(absl::Time now) {
  working_state_.Reset();
  fresh_ = FreshStart();
  adopter_ = nullptr;
  LiveSession* const session = std::exchange(session_, nullptr);
  if (session == nullptr) return;
  LeaseEnd end;
  end.now = now;
  table_->impl_->EndLease(session, &end).IgnoreError();
}

}  // namespace rondo
