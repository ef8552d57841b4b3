#include "server/session/session_lease.h"

#include <new>
#include <utility>

#include "base/prefetch.h"
#include "base/steady_time.h"
#include "server/refusal/refusal.h"
#include "server/session/durable_sessions.h"
#include "server/session/live_session.h"
#include "server/session/session_table.h"
#include "server/session/session_value.h"

namespace rondo {

SessionLease::SessionLease(SessionTable* table, const ServedModelPtr& model)
    : table_(table), change_(table->FreshStartOf(model)) {}

SessionLease& SessionLease::operator=(SessionLease&& other) noexcept {
  if (this == &other) return *this;
  if (*this) EndWithoutCommit(absl::InfinitePast());
  table_ = other.table_;
  session_ = std::exchange(other.session_, nullptr);
  TakeChange(&other);
  working_state_ = std::move(other.working_state_);
  return *this;
}

void SessionLease::Restart(const ServedModelPtr& model) { change_ = table_->FreshStartOf(model); }

void SessionLease::Adopt(ServedModelPtr model) { change_ = Adoption{std::move(model)}; }

void SessionWhereabouts::Prefetch() const {
  constexpr size_t kBytesOfState = 512;  // the processor sees by itself where a longer one goes on
  if (session_ == nullptr) return;
  rondo::Prefetch(session_, sizeof(LiveSession));
  rondo::Prefetch(id_, 1);
  rondo::Prefetch(state_, kBytesOfState);
}

SessionWhereabouts SessionLease::Whereabouts() const {
  SessionWhereabouts whereabouts;
  whereabouts.session_ = session_;
  whereabouts.id_ = session_->id.data();
  whereabouts.state_ = session_->state.get();
  return whereabouts;
}

const ServedModelPtr& SessionLease::model() const {
  if (fresh() != nullptr) return fresh()->model;
  const auto* const adoption = std::get_if<Adoption>(&change_);
  return adoption != nullptr ? adoption->model : session_->model;
}

float* SessionLease::state() { return fresh() != nullptr ? fresh()->state.get() : session_->state.get(); }

void SessionLease::ReserveReply(size_t floats) {
  if (session_ != nullptr) session_->last_reply.reserve(floats);
}

float* SessionLease::working_state() {
  if (working_state_.get() == nullptr) {
    working_state_ = table_->states_.TakeUndefined(static_cast<size_t>(model()->spec().state_size()));
  }
  return working_state_.get();
}

float* SessionLease::next_state() {
  const bool in_place = fresh() != nullptr || !table_->durable_replies_;
  return in_place ? state() : working_state();
}

int64_t SessionLease::position() const { return fresh() != nullptr ? 0 : session_->position; }

uint32_t SessionLease::serial() const { return session_ == nullptr || fresh() != nullptr ? 0 : session_->serial; }

absl::Span<const float> SessionLease::last_output() const {
  const absl::Span<const float> reply = last_reply();
  const auto output_size = static_cast<size_t>(model()->spec().output_size());
  return reply.size() < output_size ? absl::Span<const float>() : reply.last(output_size);
}

std::optional<int64_t> SessionLease::last_time() const {
  return fresh() != nullptr ? std::nullopt : session_->last_time;
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
  return fresh() != nullptr ? absl::Span<const float>() : absl::MakeConstSpan(session_->last_reply);
}

std::optional<int64_t> SessionLease::durable_position() const {
  const int64_t position = session_->stored.durable_position.load(std::memory_order_relaxed);
  return position == StoredCopy::kNotDurable ? std::nullopt : std::optional<int64_t>(position);
}

bool SessionLease::went_back() const { return session_->stored.went_back.load(std::memory_order_relaxed); }

SessionRecord SessionLease::Export() const {
  MutexLock lock(&table_->ShardOf(session_->hash).mutex);
  SessionRecord record = RecordOf(ViewOf(*session_));
  record.last_used_ns += absl::ToInt64Nanoseconds(WallAhead());
  return record;
}

std::optional<absl::Status> SessionLease::Commit(const CommittedSequence& sequence, absl::Time now,
                                                 CommitWaiter* waiter) {
  LiveSession* const session = std::exchange(session_, nullptr);
  const bool waits = session != nullptr && table_->durable_replies_;
  Committed commit{&sequence, std::exchange(change_, SameModel()), StateSlot(), now};
  if (waits && !std::holds_alternative<FreshStart>(commit.change)) commit.next_state = std::move(working_state_);
  working_state_.Reset();
  if (session == nullptr) return absl::OkStatus();
  if (!waits) return table_->Commit(session, &commit, false);
  try {
    table_->durable_->CommitOnceSaved(session, std::move(commit), waiter);
    return std::nullopt;
  } catch (const std::bad_alloc&) {  // for the record; nothing has been asked of the store
    table_->Release(session, now);
    return Refuse(Why::kOutOfMemory, "the server has no memory left to save this; nothing has changed");
  }
}

bool SessionLease::Discard() {
  if (table_->durable_ == nullptr || !table_->durable_->Discard(session_)) return false;
  session_ = nullptr;
  working_state_.Reset();
  return true;
}

void SessionLease::Release(absl::Time now) { EndWithoutCommit(now); }

void SessionLease::EndWithoutCommit(absl::Time now) {
  working_state_.Reset();
  change_ = ModelChange();
  LiveSession* const session = std::exchange(session_, nullptr);
  if (session != nullptr) table_->Release(session, now);
}

}  // namespace rondo
