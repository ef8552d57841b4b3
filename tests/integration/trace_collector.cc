#include "tests/integration/trace_collector.h"

#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "base/steady_time.h"

namespace rondo {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

}  // namespace

TraceCollector::TraceCollector(const std::shared_ptr<grpc::ServerCredentials>& credentials) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", credentials, &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  EXPECT_NE(server_, nullptr);
  endpoint_ = absl::StrCat("127.0.0.1:", port);
}

TraceCollector::~TraceCollector() {
  {
    const MutexLock lock(&mutex_);
    hangs_ = false;
    changed_.SignalAll();
  }
  server_->Shutdown();
}

void TraceCollector::AnswerNext(Answer answer) {
  const MutexLock lock(&mutex_);
  answers_.push_back(std::move(answer));
}

void TraceCollector::Hang() {
  const MutexLock lock(&mutex_);
  hangs_ = true;
}

std::vector<otlp::Span> TraceCollector::AwaitAnswers(size_t count) {
  const absl::Time end = SteadyNow() + kPatience;
  const MutexLock lock(&mutex_);
  while (static_cast<size_t>(absl::c_count_if(spans_, IsAnswer)) < count && SteadyNow() < end)
    changed_.WaitFor(&mutex_, kPatience);
  return spans_;
}

void TraceCollector::AwaitHanging() {
  const absl::Time end = SteadyNow() + kPatience;
  const MutexLock lock(&mutex_);
  while (!hanging_ && SteadyNow() < end) changed_.WaitFor(&mutex_, kPatience);
  EXPECT_TRUE(hanging_);
}

otlp::Resource TraceCollector::resource() {
  const MutexLock lock(&mutex_);
  return resource_;
}

grpc::Status TraceCollector::Export(grpc::ServerContext*, const otlp::ExportTraceServiceRequest* request,
                                    otlp::ExportTraceServiceResponse* response) {
  const MutexLock lock(&mutex_);
  hanging_ = hangs_;
  changed_.SignalAll();
  while (hangs_) changed_.Wait(&mutex_);
  if (!answers_.empty()) {
    const Answer answer = std::move(answers_.front());
    answers_.erase(answers_.begin());
    if (grpc::Status status = answer(response); !status.ok()) return status;
  }
  for (const otlp::ResourceSpans& of_resource : request->resource_spans()) {
    resource_ = of_resource.resource();
    for (const otlp::ScopeSpans& of_scope : of_resource.scope_spans()) {
      spans_.insert(spans_.end(), of_scope.spans().begin(), of_scope.spans().end());
    }
  }
  changed_.SignalAll();
  return grpc::Status::OK;
}

bool IsAnswer(const otlp::Span& span) { return span.kind() == otlp::Span::SPAN_KIND_SERVER; }

std::string AttributeOf(const google::protobuf::RepeatedPtrField<otlp::KeyValue>& attributes, const std::string& key) {
  for (const otlp::KeyValue& attribute : attributes) {
    if (attribute.key() != key) continue;
    return attribute.value().value_case() == otlp::AnyValue::kIntValue ? absl::StrCat(attribute.value().int_value())
                                                                       : attribute.value().string_value();
  }
  return "";
}

}  // namespace rondo
