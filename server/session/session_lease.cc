#include "server/session/session_lease.h"

#include <utility>

#include "server/session/session.h"
#include "server/session/session_table.h"
#include "server/session/session_table_impl.h"

namespace rondo {

SessionLease::SessionLease(SessionTable* table, ServedModelPtr model)
    : table_(table),
      stateless_model_(std::move(model)),
      stateless_state_(table->impl_->states().TakeZeroed(static_cast<size_t>(stateless_model_->spec().state_size()))) {}

SessionLease& SessionLease::operator=(SessionLease&& other) noexcept {
  if (this == &other) return *this;
  if (*this) End(nullptr, absl::InfinitePast());
  table_ = other.table_;
  session_ = std::exchange(other.session_, nullptr);
  stateless_model_ = std::move(other.stateless_model_);
  stateless_state_ = std::move(other.stateless_state_);
  working_state_ = std::move(other.working_state_);
  return *this;
}

const ServedModelPtr& SessionLease::model() const { return stateless() ? stateless_model_ : session_->model; }

float* SessionLease::state() { return stateless() ? stateless_state_.get() : session_->state.get(); }

float* SessionLease::working_state() {
  if (working_state_.get() == nullptr) {
    working_state_ = table_->impl_->states().TakeUndefined(static_cast<size_t>(model()->spec().state_size()));
  }
  return working_state_.get();
}

int64_t SessionLease::position() const { return stateless() ? 0 : session_->position; }

absl::Span<const float> SessionLease::last_output() const {
  const absl::Span<const float> reply = last_reply();
  const auto output_size = static_cast<size_t>(model()->spec().output_size());
  return reply.size() < output_size ? absl::Span<const float>() : reply.last(output_size);
}

std::optional<int64_t> SessionLease::last_time() const { return stateless() ? std::nullopt : session_->last_time; }

PositionCheck SessionLease::Check(std::optional<int64_t> position, int64_t timesteps, uint64_t fingerprint) const {
  const Session& session = *session_;
  if (!position || *position == session.position) return PositionCheck::kRun;
  // The difference of two of our own positions: no position that a client makes up can overflow it.
  const bool is_last_request = session.last_timesteps > 0 && *position == session.position - session.last_timesteps &&
                               timesteps == session.last_timesteps && fingerprint == session.last_fingerprint;
  return is_last_request ? PositionCheck::kReplay : PositionCheck::kWrong;
}

absl::Span<const float> SessionLease::last_reply() const {
  return stateless() ? absl::Span<const float>() : absl::MakeConstSpan(session_->last_reply);
}

void SessionLease::Commit(const CommittedSequence& sequence, absl::Time now) { End(&sequence, now); }

void SessionLease::Release(absl::Time now) { End(nullptr, now); }

void SessionLease::End(const CommittedSequence* committed, absl::Time now) {
  working_state_.Reset();
  stateless_state_.Reset();
  stateless_model_ = nullptr;
  if (Session* const session = std::exchange(session_, nullptr)) table_->impl_->EndLease(session, committed, now);
}

}  // namespace rondo
