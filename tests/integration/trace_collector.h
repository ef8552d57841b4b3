#ifndef RONDO_TESTS_INTEGRATION_TRACE_COLLECTOR_H_
#define RONDO_TESTS_INTEGRATION_TRACE_COLLECTOR_H_

#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "opentelemetry/trace_service.grpc.pb.h"

namespace rondo {

namespace otlp = opentelemetry::proto::collector::trace::v1;

// A collector of traces on a free port of the loopback, that keeps what it is sent.
//
// Threads: any.
class TraceCollector : private otlp::TraceService::Service {
 public:
  // What a sending is answered with, after the spans of an answer that is OK were kept.
  using Answer = std::function<grpc::Status(otlp::ExportTraceServiceResponse*)>;

  explicit TraceCollector(const std::shared_ptr<grpc::ServerCredentials>& credentials);
  // Lets a sending that hangs go.
  ~TraceCollector() override;

  // For the sendings from now on, in this order, before all others, which are OK.
  void AnswerNext(Answer answer);
  // Lets every sending from now on hang until this object goes.
  void Hang();

  const std::string& endpoint() const { return endpoint_; }
  // Returns the spans once those of so many answers are there, or once 20 s have passed. A span of an answer comes
  // after those of its parts.
  std::vector<otlp::Span> AwaitAnswers(size_t count);
  // Returns once a sending hangs, or once 20 s have passed.
  void AwaitHanging();
  // Of the newest sending.
  otlp::Resource resource();

 private:
  grpc::Status Export(grpc::ServerContext* context, const otlp::ExportTraceServiceRequest* request,
                      otlp::ExportTraceServiceResponse* response) override;

  Mutex mutex_;
  CondVar changed_;
  std::vector<Answer> answers_ ABSL_GUARDED_BY(mutex_);
  std::vector<otlp::Span> spans_ ABSL_GUARDED_BY(mutex_);
  otlp::Resource resource_ ABSL_GUARDED_BY(mutex_);
  bool hangs_ ABSL_GUARDED_BY(mutex_) = false;
  bool hanging_ ABSL_GUARDED_BY(mutex_) = false;
  std::string endpoint_;
  std::unique_ptr<grpc::Server> server_;
};

// Tells whether the span is of an answer, rather than of a part of one.
bool IsAnswer(const otlp::Span& span);

// The attribute `key` as text; empty: there is none.
std::string AttributeOf(const google::protobuf::RepeatedPtrField<otlp::KeyValue>& attributes, const std::string& key);

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_TRACE_COLLECTOR_H_
