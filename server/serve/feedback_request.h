#ifndef RONDO_SERVER_SERVE_FEEDBACK_REQUEST_H_
#define RONDO_SERVER_SERVE_FEEDBACK_REQUEST_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/steady_time.h"
#include "server/loop/event.h"
#include "server/serve/message_owner.h"
#include "server/serve/serve_context.h"
#include "server/serve/session_wait.h"
#include "server/serve/work_budget.h"
#include "server/session/session_lease.h"
#include "server/tracing/message_trace.h"

namespace rondo {

// A request that goes on from a session's state, or from what it brings along, by paths that feed back what comes out:
// what a forecast and a generation have in common. It finds the model, waits for the session, takes what the request
// costs, and ends.
//
// Ownership: borrows the context and the owner.
// Threads:   the loop's own.
class FeedbackRequest : private Event {
 public:
  // Ends as CANCELLED soon, unless it is done.
  void Cancel();

  // OK, or why the request was refused. REQUIRES: OnMessageDone has come.
  const absl::Status& status() const { return status_; }

 protected:
  // What is asked of. It borrows what it points to.
  struct Subject {
    absl::string_view model;
    int64_t version = 0;           // 0: the session's own, else the newest
    absl::string_view session_id;  // empty: no session
    bool of_any_model = false;     // the session may be of a model that is not the request's
  };

  FeedbackRequest(const ServeContext* context, MessageOwner* owner, Method method)
      : context_(context), owner_(owner), method_(method), wait_(context, this) {}
  ~FeedbackRequest() override {
    if (work_.bytes > 0) budget()->GiveBack(work_);
  }
  FeedbackRequest(const FeedbackRequest&) = delete;
  FeedbackRequest& operator=(const FeedbackRequest&) = delete;

  // Starts the request; called once at most. The owner hears OnMessageDone once, at once or later. `now`: when the
  // request arrived.
  void Begin(const Subject& subject, absl::Time now, absl::Time deadline);

  // Judges what the request says of itself, without a model.
  virtual absl::Status CheckRequest() = 0;
  // The model is known: starts from what the request brings, or acquires the session.
  virtual absl::Status Open() = 0;
  // Goes on from the session, which is of the model and version that the request names, unless it may be of any.
  virtual absl::Status StartFrom(SessionLease session) = 0;
  virtual void CancelPaths() = 0;
  // An event came that was begun or posted for continuation().
  virtual void OnContinue() = 0;
  // The request ends: gives back what it holds.
  virtual void LetGo() {}

  // Acquires the session, which begins as one of `create_as` if there is none and that is not null, and starts from it
  // now or later. NOT_FOUND: there is no such session.
  absl::Status AcquireSession(const ServedModelPtr* create_as = nullptr, const RequestOrder& order = {});
  // Takes what the request costs from its client's budget: the steps until Finish, the bytes of a request that succeeds
  // as long as its reply is there. On error nothing was taken.
  absl::Status TakeWork(const Work& work);
  // Ends the request; the owner hears.
  void Finish(const absl::Status& status);

  // A path of the request writes there when its first kernel call began. Null: the request is not sampled.
  absl::Time* first_step_at() const { return trace_ == nullptr ? nullptr : &trace_->first_step; }
  // A path of the request is done.
  void NoteComputed() {
    if (trace_ != nullptr) trace_->computed = SteadyNow();
  }
  // The store has what it had to be told.
  void NoteStored() {
    if (trace_ != nullptr) trace_->stored = SteadyNow();
  }

  const ServeContext& context() const { return *context_; }
  MessageOwner* owner() const { return owner_; }
  Event* continuation() { return this; }
  SessionWait* wait() { return &wait_; }
  const ServedModelPtr& model() const { return model_; }
  const Subject& subject() const { return subject_; }
  absl::Time arrived() const { return arrived_; }
  absl::Time deadline() const { return deadline_; }
  bool cancelled() const { return cancelled_; }

 private:
  void Proceed(bool ok) final;
  absl::Status TryToBegin();
  // FAILED_PRECONDITION: the session is of another model or version. OK: the request starts from it.
  absl::Status StartFromChecked(SessionLease session);
  WorkBudget* budget() const;
  // The client hears `refusal`, unless it may have given up: what is said until it was heard is not said again.
  void NoteHeard(const absl::Status& refusal);
  // REQUIRES: the request is sampled, and gives nothing back yet.
  void EndTrace();

  const ServeContext* const context_;
  MessageOwner* const owner_;
  const Method method_;
  Subject subject_;
  std::unique_ptr<MessageTrace> trace_;  // null: it is not sampled
  ServedModelPtr model_;
  absl::Time arrived_;
  absl::Time came_;  // no later than arrived_: the message has not come to this machine before
  absl::Time deadline_;
  SessionWait wait_;
  Work work_;  // taken from the budget
  bool awaits_session_ = false;
  bool running_ = false;
  bool cancelled_ = false;
  absl::Status status_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_FEEDBACK_REQUEST_H_
