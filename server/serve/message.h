#ifndef RONDO_SERVER_SERVE_MESSAGE_H_
#define RONDO_SERVER_SERVE_MESSAGE_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/metrics/probes.h"
#include "server/metrics/served_model.h"
#include "server/serve/exchange.h"
#include "server/serve/sequence_task.h"
#include "server/serve/serve_context.h"
#include "server/serve/work_budget.h"
#include "server/tracing/message_trace.h"

namespace rondo {

// One request message, whichever protocol and call brought it: admits it, runs its sequences, and counts those that
// have not ended. It is made once and used again, so that a stream in steady state allocates nothing here.
//
// Ownership: borrows the context and the exchange.
// Threads:   the loop's own.
class Message {
 public:
  Message(const ServeContext* context, Method method, Exchange* exchange)
      : context_(context), method_(method), exchange_(exchange) {}
  ~Message() { LetGo(); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  // Runs the request; the exchange hears OnMessageDone once, at once or later. `now`: when it arrived. REQUIRES:
  // !running().
  void Start(RequestView request, absl::Time now, absl::Time deadline);
  // Ends what waits or runs as CANCELLED, soon; nothing if it is not running.
  void Cancel();
  // The reply has been sent, or nobody wants it any more: what the request and the reply took is given back to the
  // budgets. Until then a client that does not read holds its own share, and nobody else's. REQUIRES: !running().
  void LetGo();
  // Gives the memory of the tasks back: as many as the largest message had sequences.
  void FreeMemory() { tasks_.clear(); }

  bool running() const { return running_; }
  // Why the whole message was refused, or OK. Each sequence has its own status besides.
  const absl::Status& refusal() const { return refusal_; }
  // The refusal, or the failure of the first sequence that failed, or OK.
  const absl::Status& first_failure() const { return first_failure_; }

  // Counts and logs that a part of the request, or all of it, was refused.
  void Record(const absl::Status& refusal) const;

  // What follows is for the tasks.
  const RequestView& request() const { return request_; }
  // Returns the tenant whose sessions the request names.
  absl::string_view tenant() const;
  Exchange* exchange() const { return exchange_; }
  // The model of new sessions and of sequences without one; null: there is none such, and model_away() says which there
  // are. A live session has its own.
  const ServedModelPtr& model() const { return model_; }
  // What the message tells of itself; null: it is not sampled.
  MessageTrace* trace() const { return trace_.get(); }
  const absl::Status& model_away() const { return model_away_; }
  absl::Time arrived() const { return arrived_; }
  absl::Time deadline() const { return deadline_; }
  void OnSequenceDone(const absl::Status& status);

 private:
  // Refuses the message of a unary call while the server drains, and one that is malformed, has no sequences or too
  // many, a timeout that is none, or a model that is not there.
  absl::Status Admit(absl::Time deadline);
  // Whether a sequence names a live session of the model and version that the request names: a session keeps its model,
  // also when that has left the registry.
  bool NamesLiveSession() const;
  // What the request costs on the message's model.
  Work WorkOfRequest() const;
  // Charges what the request costs to its tenant and to the budget. RESOURCE_EXHAUSTED: it may not run now.
  absl::Status TakeWork();
  WorkBudget* budget() const;
  TenantQuota* quota() const;  // null: no limit
  void FinishRefused(const absl::Status& status);
  // Tells the sequences that their results are heard, unless the client may have given up.
  void NoteHeard();
  void Finish();
  // REQUIRES: the message is sampled, and gives nothing back yet.
  void EndTrace();

  const ServeContext* const context_;
  const Method method_;
  Exchange* const exchange_;

  RequestView request_;
  std::vector<std::unique_ptr<SequenceTask>> tasks_;  // as many as the largest message had sequences
  std::unique_ptr<MessageTrace> trace_;               // null: it is not sampled
  ServedModelPtr model_;
  absl::Status model_away_;
  Work work_;  // taken from the budget: steps until the end, bytes until LetGo
  absl::Status refusal_;
  absl::Status first_failure_;
  absl::Time arrived_;
  absl::Time came_;  // no later than arrived_: the message has not come to this machine before
  absl::Time deadline_;
  size_t unfinished_ = 0;
  bool running_ = false;
  bool cancelled_ = false;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_MESSAGE_H_
