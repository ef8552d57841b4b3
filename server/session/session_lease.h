#ifndef RONDO_SERVER_SESSION_SESSION_LEASE_H_
#define RONDO_SERVER_SESSION_SESSION_LEASE_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/metrics/served_model.h"
#include "server/session/state_pool.h"
#include "server/store/session_record.h"

namespace rondo {

class SessionTable;
struct LiveSession;

// What a request may do with the session it has a lease on.
enum class PositionCheck {
  kRun,     // it is the next one
  kReplay,  // it is the last request again: answer last_reply()
  kWrong,   // neither: FAILED_PRECONDITION with position()
};

// What a finished sequence leaves in its session.
struct CommittedSequence {
  int64_t timesteps = 0;
  uint64_t fingerprint = 0;          // of all that decides the reply: values, times, last_only
  absl::Span<const float> reply;     // kept for replay; its last output_size floats are the newest output
  std::optional<int64_t> last_time;  // unix seconds of the last timestep, if the request had times
  bool end_session = false;
};

// Hears that a commit which waits for the store is over.
class CommitWaiter {
 public:
  virtual ~CommitWaiter() = default;
  // Exactly once, on the store's thread. OK: committed and durable. Else nothing has changed. ABORTED: another server
  // has the session now. UNAVAILABLE, RESOURCE_EXHAUSTED: the store's.
  virtual void OnCommitted(const absl::Status& status) = 0;
};

// A zero state that is in no session, or not yet.
struct FreshStart {
  ServedModelPtr model;  // null: none
  StateSlot state;
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
        fresh_(std::move(other.fresh_)),
        adopter_(std::move(other.adopter_)),
        working_state_(std::move(other.working_state_)) {}
  SessionLease& operator=(SessionLease&& other) noexcept;
  // As Release, but the session's idle time does not start anew.
  ~SessionLease() {
    if (*this) EndWithoutCommit(absl::InfinitePast());
  }

  explicit operator bool() const { return session_ != nullptr || stateless(); }  // false: empty, or moved from
  bool stateless() const { return session_ == nullptr && fresh_.model != nullptr; }

  // From here on the session is one of `model` at position 0, with a zero state. Others see that with Commit; without
  // it the session is as it was. REQUIRES: not stateless; comes before state() and
  // working_state() are used.
  void Restart(const ServedModelPtr& model);

  // From here on the session is one of `model`, with the state, position and last reply that it has. Others see that
  // with Commit; without it the session is as it was. REQUIRES: not stateless, not restarted; `model` has the
  // state_size and output_size of model().
  void Adopt(ServedModelPtr model);

  const ServedModelPtr& model() const;
  float* state();          // [state_size], see ModelSpec::state_size; zero at position 0
  float* working_state();  // [state_size], undefined content, taken on first use
  // [state_size], where the last step writes what Commit makes the state: state() where a commit cannot fail, else
  // working_state().
  float* next_state();
  int64_t position() const;
  // The newest output, raw units, [output_size]; empty at position 0.
  absl::Span<const float> last_output() const;
  std::optional<int64_t> last_time() const;

  // The session as a value. REQUIRES: not stateless, not restarted, not adopted.
  SessionRecord Export() const;

  // REQUIRES: not stateless. `position` absent: always kRun.
  PositionCheck Check(std::optional<int64_t> position, int64_t timesteps, uint64_t fingerprint) const;
  // The reply of the last request; after kReplay.
  absl::Span<const float> last_reply() const;

  // As of the session's last save; absent: none yet, or there is no store.
  std::optional<int64_t> durable_position() const;

  // Moves the session on: next_state() already holds the new state. Ends the lease. For a stateless lease it only ends.
  // Absent: the change is on its way to the store, and `waiter` will hear; `sequence` lives until then. ABORTED:
  // another server has the session now, so nothing has changed. `waiter` may be null but with Durability::kEveryReply.
  std::optional<absl::Status> Commit(const CommittedSequence& sequence, absl::Time now, CommitWaiter* waiter = nullptr);
  // With a store: lets the session go from memory, so that whoever acquires it next gets it as it is in the store.
  // False, and nothing has happened: it has changes that are not saved, or others wait for it.
  bool Discard();
  // Ends the lease; the session is as it was.
  void Release(absl::Time now);

 private:
  friend class SessionTable;
  SessionLease(SessionTable* table, LiveSession* session) : table_(table), session_(session) {}
  SessionLease(SessionTable* table, const ServedModelPtr& model);  // stateless

  void EndWithoutCommit(absl::Time now);

  SessionTable* table_ = nullptr;
  LiveSession* session_ = nullptr;  // null: stateless, or an empty lease
  FreshStart fresh_;                // stateless, or restarted
  ServedModelPtr adopter_;          // adopted
  StateSlot working_state_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_LEASE_H_
