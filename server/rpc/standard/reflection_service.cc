#include "server/rpc/standard/reflection_service.h"

#include <grpcpp/support/async_stream.h>

#include "server/rpc/call/call.h"
#include "server/rpc/call/status.h"
#include "server/rpc/standard/reflection_answers.h"

namespace rondo {
namespace {

namespace reflection = grpc::reflection::v1alpha;

// One stream of questions, each answered before the next is read. Owns itself.
class ReflectionCall : public Call {
 public:
  ReflectionCall(const RpcContext* context, reflection::ServerReflection::AsyncService* service,
                 const ReflectionAnswers* answers)
      : Call(context->calls), context_(context), service_(service), answers_(answers) {
    grpc::ServerCompletionQueue* queue = context_->loop->queue();
    service_->RequestServerReflectionInfo(&server_context_, &stream_, queue, queue, &arrived_);
  }

  void Drain() override {
    draining_ = true;
    if (!writing_) Finish();
  }

 private:
  void OnArrived(bool ok) {
    if (!ok) {
      delete this;
      return;
    }
    context_->calls->Add(this);
    new ReflectionCall(context_, service_, answers_);
    if (context_->draining->load()) return Drain();
    Read();
  }

  void Read() {
    reading_ = true;
    stream_.Read(&request_, &read_);
  }

  void OnRead(bool ok) {
    reading_ = false;
    if (!ok || finishing_) {
      Finish();
      return DeleteWhenOver();
    }
    writing_ = true;
    stream_.Write(answers_->Answer(request_), &written_);
  }

  void OnWritten(bool ok) {
    writing_ = false;
    if (!ok || draining_) return Finish();
    Read();
  }

  void Finish() {
    if (finishing_) return;
    finishing_ = true;
    stream_.Finish(draining_ ? ToGrpcStatus(ShuttingDown()) : grpc::Status::OK, &finished_);
  }

  void OnFinished(bool) {
    is_finished_ = true;
    DeleteWhenOver();
  }

  void DeleteWhenOver() {
    if (!is_finished_ || reading_) return;
    delete this;
  }

  const RpcContext* const context_;
  reflection::ServerReflection::AsyncService* const service_;
  const ReflectionAnswers* const answers_;
  grpc::ServerContext server_context_;
  reflection::ServerReflectionRequest request_;
  grpc::ServerAsyncReaderWriter<reflection::ServerReflectionResponse, reflection::ServerReflectionRequest> stream_{
      &server_context_};
  MethodEvent<ReflectionCall> arrived_{this, &ReflectionCall::OnArrived};
  MethodEvent<ReflectionCall> read_{this, &ReflectionCall::OnRead};
  MethodEvent<ReflectionCall> written_{this, &ReflectionCall::OnWritten};
  MethodEvent<ReflectionCall> finished_{this, &ReflectionCall::OnFinished};
  bool reading_ = false;
  bool writing_ = false;
  bool finishing_ = false;
  bool draining_ = false;
  bool is_finished_ = false;
};

}  // namespace

void ServeReflection(const RpcContext* context, reflection::ServerReflection::AsyncService* service,
                     const ReflectionAnswers* answers) {
  new ReflectionCall(context, service, answers);
}

}  // namespace rondo
