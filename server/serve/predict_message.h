#ifndef RONDO_SERVER_SERVE_PREDICT_MESSAGE_H_
#define RONDO_SERVER_SERVE_PREDICT_MESSAGE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "rondo/v1/inference.pb.h"
#include "server/metrics/served_model.h"
#include "server/rpc/call/rpc_context.h"
#include "server/serve/sequence_task.h"

namespace rondo {

// One PredictRequest and its reply, whichever call brought it. Made once and used again, so that a stream in steady
// state allocates nothing here.
//
// Threads: the loop's own.
class PredictMessage {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // The reply is complete; the message may be written and used again.
    virtual void OnMessageDone() = 0;
  };

  PredictMessage(const RpcContext* context, Method method, Owner* owner)
      : context_(context), method_(method), owner_(owner) {}

  // Fill before Start; untouched until OnMessageDone.
  v1::PredictRequest* request() { return &request_; }
  const v1::PredictRequest& request() const { return request_; }
  const v1::PredictResponse& response() const { return response_; }
  // What a unary call ends with: the refusal, or the failure of its only sequence.
  grpc::Status CallStatus(grpc::ServerContext* context) const;
  // Why the whole message was refused, or OK. Each sequence has its own status besides.
  const absl::Status& refusal() const { return refusal_; }
  // The refusal, or the failure of the first sequence that failed, or OK.
  const absl::Status& first_failure() const { return first_failure_; }
  bool running() const { return running_; }
  // The version that ran sequence `i`, and its timesteps; after OnMessageDone, if it has no status.
  int64_t VersionOf(int i) const { return tasks_[static_cast<size_t>(i)]->version(); }
  size_t TimestepsOf(int i) const { return tasks_[static_cast<size_t>(i)]->timesteps(); }

  // Runs the request and calls OnMessageDone once, at once or later.
  void Start(absl::Time now, absl::Time deadline, const SessionTerms& terms = {});
  // The same for a request that cannot be run; `model`: whose, null if that is not known.
  void Refuse(absl::Time now, ServedModelPtr model, const absl::Status& status);
  void Cancel();
  // Empties both protos; their memory is kept unless it grew large.
  void Clear();

  const ServedModelPtr& model() const { return model_; }
  absl::Time arrived() const { return arrived_; }
  absl::Time deadline() const { return deadline_; }
  const SessionTerms& session_terms() const { return session_terms_; }
  void OnSequenceDone(const absl::Status& status);

 private:
  // Status of the whole: a unary call of a server that drains, no sequences, too many, no such model, a bad deadline.
  absl::Status Admit(absl::Time deadline);
  void Open(absl::Time now);
  void FinishRefused(const absl::Status& status);
  void Finish();

  const RpcContext* const context_;
  const Method method_;
  Owner* const owner_;

  v1::PredictRequest request_;
  v1::PredictResponse response_;
  std::vector<std::unique_ptr<SequenceTask>> tasks_;  // as many as the largest message had sequences
  ServedModelPtr model_;
  absl::Status refusal_;
  absl::Status first_failure_;
  absl::Time arrived_;
  absl::Time deadline_;
  SessionTerms session_terms_;
  int unfinished_ = 0;
  bool running_ = false;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_PREDICT_MESSAGE_H_
