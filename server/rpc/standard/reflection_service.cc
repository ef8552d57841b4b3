#include "server/rpc/standard/reflection_service.h"

#include <grpcpp/support/async_stream.h>

#include <cstddef>

#include "base/invalid.h"
#include "server/refusal/refusal.h"
#include "server/rpc/call/rpc_call.h"
#include "server/rpc/standard/reflection_answers.h"
#include "server/serve/record_refusal.h"

namespace rondo {
namespace {

namespace reflection = grpc::reflection::v1alpha;

// One stream of questions, each answered before the next is read.
class ReflectionCall : public RpcCall {
 public:
  ReflectionCall(const RpcContext* context, const ServedMethod& method, const ReflectionAnswers* answers)
      : RpcCall(context, method), answers_(answers) {
    Await(&stream_);
  }

  void Drain() override {
    draining_ = true;
    if (!writing_) Finish();
  }

 private:
  static constexpr size_t kMaxQuestionBytes = 4 << 10;
  static constexpr size_t kStreamBytes = 64 << 10;  // here and in gRPC with an answer that nobody reads, about

  void ListenAgain() override { Listen<ReflectionCall>(context(), method(), answers_); }
  void OnDenied(const absl::Status& status) override {
    stream_.Finish(ToGrpcStatus(status, server_context()), BeginFinish());
  }
  void OnAdmitted() override {
    if (context()->draining->load()) return Drain();
    const absl::Status status = context()->memory->Take(kStreamBytes);
    status.ok() ? Read() : EndRefused(status);
  }
  void EndRefused(const absl::Status& status) {
    RecordRefusal(status, {rule()->method, "", "", this}, context()->metrics);
    OnDenied(status);
  }

  void Read() { stream_.Read(&request_, Begin(&read_)); }

  void OnRead(bool ok) {
    if (!ok || finishing()) return Finish();
    if (request_.ByteSizeLong() > kMaxQuestionBytes) {  // the answer repeats it
      request_ = reflection::ServerReflectionRequest();
      return EndRefused(Invalid("a question has more than ", kMaxQuestionBytes, " bytes"));
    }
    writing_ = true;
    stream_.Write(answers_->Answer(request_), Begin(&written_));
  }

  void OnWritten(bool ok) {
    writing_ = false;
    if (!ok || draining_) return Finish();
    Read();
  }

  void Finish() {
    if (finishing()) return;
    stream_.Finish(ToGrpcStatus(draining_ ? ShuttingDown() : absl::OkStatus(), server_context()), BeginFinish());
  }

  const ReflectionAnswers* const answers_;
  reflection::ServerReflectionRequest request_;
  grpc::ServerAsyncReaderWriter<reflection::ServerReflectionResponse, reflection::ServerReflectionRequest> stream_{
      server_context()};
  CallEvent<&ReflectionCall::OnRead> read_{this};
  CallEvent<&ReflectionCall::OnWritten> written_{this};
  bool writing_ = false;
  bool draining_ = false;
};

}  // namespace

void ServeReflection(const RpcContext* context, HeadersFirst<reflection::ServerReflection>* service,
                     const ReflectionAnswers* answers) {
  Listen<ReflectionCall>(context, MethodNamed(service, "ServerReflectionInfo"), answers);
}

}  // namespace rondo
