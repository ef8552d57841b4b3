#ifndef RONDO_SERVER_SERVE_SEQUENCE_TASK_H_
#define RONDO_SERVER_SERVE_SEQUENCE_TASK_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/loop/event.h"
#include "server/loop/sequence_run.h"
#include "server/serve/exchange.h"
#include "server/serve/serve_context.h"
#include "server/serve/session_wait.h"
#include "server/session/session_lease.h"

namespace rondo {

class Message;

// One sequence of a message, from the check of its values to its result: waits for its session's lease, runs, commits.
//
// Threads: the loop's own.
class SequenceTask : private RunObserver, private Event {
 public:
  // The task runs sequence `index` of `message`, each time that the message is used.
  SequenceTask(const ServeContext* context, Message* message, size_t index)
      : context_(context), message_(message), index_(index), wait_(context, this) {}

  // Sets the sequence's result in the message's exchange and tells the message OnSequenceDone, at once or later. What
  // the sequence points to stays put until then.
  void Start(const SequenceView& sequence);
  // Start will be called soon: brings the task into the cache, and the session that it had last, which most clients
  // name again.
  void Prefetch() const;
  // Ends as CANCELLED soon, unless it is done.
  void Cancel();
  // The client hears the result: what is said until it was heard is not said again. REQUIRES: it is done, and what the
  // sequence points to is still there.
  void OnHeard();

 private:
  enum class Stage { kIdle, kRunning, kCommitting };

  void Proceed(bool ok) override;
  void OnStep(SequenceRun*, size_t) override {}
  void OnFinished(SequenceRun* run, const absl::Status& status) override;

  // Reads the sequence as `model` takes it, if that makes a difference, and judges it.
  absl::Status FitTo(const Model& model);
  void AcquireSession();
  // There is no session for the sequence. If the message's model would not have taken it either, or is away, that is
  // what its client has to hear.
  void EndWithoutSession(const absl::Status& status);
  // The session is ours: checks the request against it, and answers or runs.
  void Begin();
  // A live session may begin anew as another version of its model, never as another model: its owner would not hear.
  absl::Status CheckRestart() const;
  // A live session is asked of its own model whether that takes the sequence.
  absl::Status CheckSession();
  // The client is ahead of the session: another server may have moved it on. True: asks the store, once.
  bool LookAgain(int64_t position);
  // If another version of the session's model goes on with the session, it does from this request on.
  void LetAdopt();
  void Replay();
  void SetDurablePosition();
  // Makes room for so many floats of a reply by the model of the lease. RESOURCE_EXHAUSTED: there is no memory.
  absl::Status AllocateReply(size_t floats);
  void Run();
  void Commit();
  void EndCommit(const absl::Status& status);
  void EndRefused(absl::Status status);
  void Done();

  const ServeContext* const context_;
  Message* const message_;
  const size_t index_;

  SequenceView sequence_;
  SequenceResult result_;
  absl::Span<float> reply_;  // in the exchange
  Stage stage_ = Stage::kIdle;
  bool cancelled_ = false;
  bool looked_again_ = false;
  uint64_t digest_ = 0;
  std::optional<int64_t> went_back_to_;  // the result says that the session did
  SessionLease lease_;
  SequenceRun run_;
  CommittedSequence committed_;
  // Whether the message's model takes the sequence. A live session's own model is asked instead, once it is known.
  absl::Status fits_;
  // Whether there is room for a session that the request would create. A live session goes on without.
  absl::Status room_;
  SessionWait wait_;
  SessionWhereabouts last_session_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_SEQUENCE_TASK_H_
