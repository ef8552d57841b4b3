#ifndef RONDO_TESTS_UNIT_CLIENT_RUNNING_SUM_SERVER_H_
#define RONDO_TESTS_UNIT_CLIENT_RUNNING_SUM_SERVER_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "grpcpp/grpcpp.h"
#include "rondo/v1/inference.grpc.pb.h"
#include "rondo/v1/sessions.grpc.pb.h"

namespace rondo {

// A gRPC server on a port of its own whose one model "sum" answers the running sum of all values of a session. It
// follows the position rule of inference.proto, and fails as told: what the client does then is under test.
class RunningSumServer final : public v1::Inference::Service, public v1::Sessions::Service {
 public:
  enum class Fault {
    kRefuse,       // UNAVAILABLE, not run
    kLoseReply,    // run, then UNAVAILABLE
    kPushBack,     // RESOURCE_EXHAUSTED, come back after 1 ms
    kPushBackFar,  // RESOURCE_EXHAUSTED, come back after an hour
    kLimit,        // RESOURCE_EXHAUSTED without advice
    kHoldReply,    // run, then nothing until Release
    kMoved,        // ABORTED, not run
    kReset,        // CANCELLED, not run
  };

  // `host`: an address of the loopback. Port 0: any free one.
  explicit RunningSumServer(const std::string& host = "127.0.0.1", int port = 0);
  ~RunningSumServer() override;

  std::string address() const { return host_ + ":" + std::to_string(port_); }
  int port() const { return port_; }
  // Faults of the next Predict calls, one each.
  void FailNext(std::deque<Fault> faults);
  // Lets held replies go.
  void Release();
  // From now on replies have a durable position: where the session stood at the last Save.
  void Save();
  // What was not saved is lost.
  void Crash();
  // The next streams: each answers so many messages, says that it goes away and ends with UNAVAILABLE.
  void EndStreamsAfter(std::deque<int> messages);
  // The next streams are refused so.
  void FailNextStreams(std::deque<Fault> faults);
  // Refuses so many messages of streams with UNAVAILABLE; the streams go on.
  void RefuseMessages(int count);
  // The metadata of the last call or stream.
  std::multimap<std::string, std::string> last_metadata() const;
  int predict_calls() const;
  int64_t last_version() const;  // that a Predict call named
  int64_t position(const std::string& session_id) const;

  grpc::Status Predict(grpc::ServerContext* context, const v1::PredictRequest* request,
                       v1::PredictResponse* response) override;
  grpc::Status StreamPredict(grpc::ServerContext* context,
                             grpc::ServerReaderWriter<v1::PredictResponse, v1::PredictRequest>* stream) override;
  grpc::Status GetSession(grpc::ServerContext* context, const v1::GetSessionRequest* request,
                          v1::Session* response) override;
  grpc::Status CreateSession(grpc::ServerContext* context, const v1::CreateSessionRequest* request,
                             v1::Session* response) override;
  grpc::Status ExportSession(grpc::ServerContext* context, const v1::ExportSessionRequest* request,
                             v1::ExportSessionResponse* response) override;
  grpc::Status ForkSession(grpc::ServerContext* context, const v1::ForkSessionRequest* request,
                           v1::Session* response) override;
  // These two answer one session a page, and take no page token but their own.
  grpc::Status ListSessions(grpc::ServerContext* context, const v1::ListSessionsRequest* request,
                            v1::ListSessionsResponse* response) override;
  grpc::Status DeleteSessions(grpc::ServerContext* context, const v1::DeleteSessionsRequest* request,
                              v1::DeleteSessionsResponse* response) override;

 private:
  struct Series {
    int64_t position = 0;
    float sum = 0;
    int64_t last_position = -1;
    v1::SequenceResult last_result;
  };

  // Of the Predict call that has come, and names `version`.
  std::optional<Fault> TakeFault(int64_t version) ABSL_LOCKS_EXCLUDED(mutex_);
  // Of the next stream.
  std::optional<Fault> TakeStreamFault() ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteMetadata(const grpc::ServerContext& context) ABSL_LOCKS_EXCLUDED(mutex_);
  int TakeMessageLimit() ABSL_LOCKS_EXCLUDED(mutex_);
  bool TakeMessageRefusal() ABSL_LOCKS_EXCLUDED(mutex_);
  // REQUIRES: it is not to run.
  grpc::Status Refusal(Fault fault, grpc::ServerContext* context);
  void AwaitRelease() ABSL_LOCKS_EXCLUDED(mutex_);
  // What a page token begins with.
  std::string token_mark() const { return std::to_string(port_) + ":"; }
  v1::SequenceResult RunSequence(const v1::Sequence& sequence) ABSL_LOCKS_EXCLUDED(mutex_);

  mutable Mutex mutex_;
  std::map<std::string, Series> series_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Series> saved_ ABSL_GUARDED_BY(mutex_);
  bool has_store_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Fault> faults_ ABSL_GUARDED_BY(mutex_);
  std::deque<Fault> stream_faults_ ABSL_GUARDED_BY(mutex_);
  std::multimap<std::string, std::string> last_metadata_ ABSL_GUARDED_BY(mutex_);
  std::deque<int> stream_limits_ ABSL_GUARDED_BY(mutex_);
  int messages_to_refuse_ ABSL_GUARDED_BY(mutex_) = 0;
  int predict_calls_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t last_version_ ABSL_GUARDED_BY(mutex_) = 0;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
  CondVar release_;

  const std::string host_;
  int port_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_CLIENT_RUNNING_SUM_SERVER_H_
