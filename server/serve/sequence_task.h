#ifndef RONDO_SERVER_SERVE_SEQUENCE_TASK_H_
#define RONDO_SERVER_SERVE_SEQUENCE_TASK_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rondo/v1/inference.pb.h"
#include "server/loop/event.h"
#include "server/loop/sequence_run.h"
#include "server/rpc/call/rpc_context.h"
#include "server/session/session_lease.h"
#include "server/session/session_table.h"

namespace rondo {

class PredictMessage;

// How the sequences of a message meet their sessions.
struct SessionTerms {
  // The session begins at position 0 and a zero state, whether the id is live or not; `position` is not looked at.
  bool anew = false;
  // The values are in the order of the inputs of the model version that the message found: for a session of another
  // version they are only if that has the same inputs.
  bool named_inputs = false;
};

// One sequence of a message, from the check of its values to its result: waits for its session's lease, runs, commits.
//
// Threads: the loop's own, but OnLease and OnCommitted.
class SequenceTask : private LeaseWaiter, private CommitWaiter, private RunObserver, private Event {
 public:
  SequenceTask(const RpcContext* context, PredictMessage* message) : context_(context), message_(message) {}

  // Fills *result and tells the message OnSequenceDone, at once or later. Both protos stay put until then.
  void Start(const v1::Sequence& sequence, v1::SequenceResult* result);
  // Ends as CANCELLED soon, unless it is done.
  void Cancel();
  // Of the model that ran it.
  int64_t version() const { return version_; }
  size_t timesteps() const { return run_.timesteps; }

 private:
  enum class Stage { kDone, kWaiting, kRunning, kCommitting };

  void OnLease(absl::StatusOr<SessionLease> lease) override;
  void OnCommitted(const absl::Status& status) override;
  void Proceed(bool ok) override;
  void OnStep(SequenceRun*, size_t) override {}
  void OnFinished(SequenceRun* run, const absl::Status& status) override;

  void AcquireSession();
  // The session is ours: checks the request against it, and answers or runs.
  void Begin();
  // A live session may begin anew as another version of its model, never as another model: its owner would not hear.
  absl::Status CheckRestart() const;
  absl::Status CheckSession() const;
  // The client is ahead of the session: another server may have moved it on. True: asks the store, once.
  bool LookAgain(int64_t position);
  // If another version of its model goes on with the session, from this request on it does.
  void LetAdopt();
  void Replay();
  void SetDurablePosition();
  void Run();
  void Commit();
  void EndCommit(const absl::Status& status);
  void EndRefused(absl::Status status);
  void Done();

  const RpcContext* const context_;
  PredictMessage* const message_;

  const v1::Sequence* sequence_ = nullptr;
  v1::SequenceResult* result_ = nullptr;
  Stage stage_ = Stage::kDone;
  bool cancelled_ = false;
  bool looked_again_ = false;
  uint64_t fingerprint_ = 0;
  int64_t version_ = 0;
  SessionLease lease_;
  SequenceRun run_;
  CommittedSequence committed_;
  // Written by OnLease and OnCommitted on another thread; the inbox hands them over.
  absl::StatusOr<SessionLease> granted_;
  absl::Status commit_status_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_SEQUENCE_TASK_H_
