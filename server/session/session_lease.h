#ifndef RONDO_SERVER_SESSION_SESSION_LEASE_H_
#define RONDO_SERVER_SESSION_SESSION_LEASE_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/metrics/served_model.h"
#include "server/session/lease_end.h"
#include "server/session/state_pool.h"
#include "server/store/session_record.h"

namespace rondo {

class SessionTable;
struct LiveSession;

// Says what a request may do with the session that it has a lease on.
enum class PositionCheck {
  kRun,     // the request is the next one
  kReplay,  // the request is the last one again: answer last_reply()
  kWrong,   // neither: FAILED_PRECONDITION with position()
};

// Where a session was in memory when a request had it. The session may be gone: this is for the processor's cache only.
class SessionWhereabouts {
 public:
  void Prefetch() const;

 private:
  friend class SessionLease;
  const void* session_ = nullptr;
  const void* id_ = nullptr;
  const void* state_ = nullptr;
};

// Hears that a commit which waits for the store is over.
class CommitWaiter {
 public:
  virtual ~CommitWaiter() = default;
  // Called exactly once, on the store's thread. OK: the change is committed and durable. Otherwise nothing has changed.
  // ABORTED: another server has the session now. UNAVAILABLE, RESOURCE_EXHAUSTED: the store's errors.
  virtual void OnCommitted(const absl::Status& status) = 0;
};

// The right to read and move one session, or one zero state that belongs to none. Move-only.
//
// A lease that ends without Commit leaves the session as it was. The way to keep that promise without copying: only the
// last step of a sequence writes next_state(); steps before it write working_state().
//
// Threads: one at a time. Ending a lease may run the next waiter's OnLease, see LeaseWaiter.
class SessionLease {
 public:
  SessionLease() = default;
  SessionLease(SessionLease&& other) noexcept
      : table_(other.table_),
        session_(std::exchange(other.session_, nullptr)),
        working_state_(std::move(other.working_state_)) {
    TakeChange(&other);
  }
  SessionLease& operator=(SessionLease&& other) noexcept;
  // Releases the lease, but the session's idle time does not start anew.
  ~SessionLease() {
    if (*this) EndWithoutCommit(absl::InfinitePast());
  }

  explicit operator bool() const { return session_ != nullptr || stateless(); }  // false: empty, or moved from
  bool stateless() const { return session_ == nullptr && fresh() != nullptr; }

  // From here on the session is one of `model` at position 0, with a zero state. Others see that with Commit; without a
  // commit the session is as it was. REQUIRES: not stateless; comes before state() and working_state() are used.
  void Restart(const ServedModelPtr& model);

  // From here on the session is one of `model`, with the state, position and last reply that it has. Others see that
  // with Commit; without a commit the session is as it was. REQUIRES: not stateless, not restarted; `model` has the
  // state_size and output_size of model().
  void Adopt(ServedModelPtr model);

  // REQUIRES: not stateless.
  SessionWhereabouts Whereabouts() const;

  const ServedModelPtr& model() const;
  float* state();  // [state_size], see ModelSpec::state_size
  // Makes room for a reply of so many floats, so that Commit needs none. Throws std::bad_alloc: nothing has changed.
  void ReserveReply(size_t floats);
  float* working_state();  // [state_size], undefined content, taken on first use
  // [state_size], where the last step writes what Commit makes the state: state() where a commit cannot fail, else
  // working_state().
  float* next_state();
  int64_t position() const;
  uint32_t serial() const;  // see LiveSession; 0: stateless, or restarted: its commit will give it another
  // The newest output, raw units, [output_size]; empty at position 0.
  absl::Span<const float> last_output() const;
  std::optional<int64_t> last_time() const;

  // Copies the session as a value. REQUIRES: not stateless, not restarted, not adopted.
  SessionRecord Export() const;

  // REQUIRES: not stateless. `position` absent: always kRun.
  PositionCheck Check(std::optional<int64_t> position, int64_t timesteps, uint64_t fingerprint) const;
  // Returns the reply of the last request, for a kReplay.
  absl::Span<const float> last_reply() const;

  // Returns the position as of the session's last save; absent: there is none yet, or there is no store.
  std::optional<int64_t> durable_position() const;

  // Whether the session may be older than what was answered, because a server that had it ended without saving it, and
  // nobody has been told: see SessionTable::HeardThatItWentBack. A commit makes that go away too. REQUIRES: not
  // stateless.
  bool went_back() const;

  // Moves the session on and ends the lease; next_state() already holds the new state. A stateless lease only ends.
  // Absent: the change is on its way to the store, and `waiter` will hear; `sequence` lives until then. ABORTED:
  // another server has the session now, so nothing has changed. `waiter` may be null but with Durability::kEveryReply.
  std::optional<absl::Status> Commit(const CommittedSequence& sequence, absl::Time now, CommitWaiter* waiter = nullptr);
  // With a store: lets the session go from memory and ends the lease, so that whoever acquires the session next gets it
  // as it is in the store. False, and nothing has happened: the session has changes that are not saved, or others wait.
  bool Discard();
  // Ends the lease; the session is as it was.
  void Release(absl::Time now);

 private:
  friend class SessionTable;
  SessionLease(SessionTable* table, LiveSession* session) : table_(table), session_(session) {}
  SessionLease(SessionTable* table, const ServedModelPtr& model);  // stateless

  const FreshStart* fresh() const {
    return std::get_if<FreshStart>(&change_);
  }  // null: neither stateless nor restarted
  // REQUIRES: there is no change here.
  void TakeChange(SessionLease* other) {
    if (std::holds_alternative<SameModel>(other->change_)) return;  // nearly always: a move costs no visit
    change_ = std::exchange(other->change_, SameModel());
  }
  void EndWithoutCommit(absl::Time now);

  SessionTable* table_ = nullptr;
  LiveSession* session_ = nullptr;  // null: stateless, or an empty lease
  ModelChange change_;              // what a commit makes of the session's model; a fresh start of a stateless lease
  StateSlot working_state_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_LEASE_H_
