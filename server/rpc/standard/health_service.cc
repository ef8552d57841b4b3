#include "server/rpc/standard/health_service.h"

#include <grpcpp/support/async_stream.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "server/rpc/call/unary_method.h"

namespace rondo {
namespace {

namespace health = grpc::health::v1;
using ServingStatus = health::HealthCheckResponse::ServingStatus;

ServingStatus StatusOf(const RpcContext& context, const std::string& service) {
  if (!service.empty() && service != "rondo.v1.Inference" && service != "rondo.v1.Sessions" &&
      service != "rondo.v1.Models" && service != "inference.GRPCInferenceService") {
    return health::HealthCheckResponse::SERVICE_UNKNOWN;
  }
  return context.draining->load() ? health::HealthCheckResponse::NOT_SERVING : health::HealthCheckResponse::SERVING;
}

absl::Status Check(const RpcContext& context, const health::HealthCheckRequest& request,
                   health::HealthCheckResponse* response) {
  const ServingStatus status = StatusOf(context, request.service());
  if (status == health::HealthCheckResponse::SERVICE_UNKNOWN) {
    return absl::NotFoundError(absl::StrCat("no service '", request.service(), "' here; '' is the whole server"));
  }
  response->set_status(status);
  return absl::OkStatus();
}

// One Watch: the status now, and once more when the server drains. Owns itself.
class WatchCall : public Call {
 public:
  WatchCall(const RpcContext* context, health::Health::AsyncService* service)
      : Call(context->calls), context_(context), service_(service) {
    server_context_.AsyncNotifyWhenDone(&context_done_);
    grpc::ServerCompletionQueue* queue = context_->loop->queue();
    service_->RequestWatch(&server_context_, &request_, &writer_, queue, queue, &arrived_);
  }

  void Drain() override {
    draining_ = true;
    WriteOrFinish();
  }

 private:
  void OnArrived(bool ok) {
    if (!ok) {  // the server is shutting down; context_done_ will not come
      delete this;
      return;
    }
    context_->calls->Add(this);
    new WatchCall(context_, service_);
    draining_ = context_->draining->load();
    WriteOrFinish();
  }

  void WriteOrFinish() {
    if (writing_ || finishing_) return;
    const ServingStatus status = StatusOf(*context_, request_.service());
    if (!cancelled_ && (!has_written_ || response_.status() != status)) {
      response_.set_status(status);
      has_written_ = writing_ = true;
      writer_.Write(response_, &written_);
    } else if (cancelled_ || draining_) {
      finishing_ = true;
      writer_.Finish(ToGrpcStatus(ShuttingDown()), &finished_);
    }
  }

  void OnWritten(bool ok) {
    writing_ = false;
    cancelled_ = cancelled_ || !ok;
    WriteOrFinish();
  }

  void OnContextDone(bool) {
    is_context_done_ = cancelled_ = true;
    WriteOrFinish();
    DeleteWhenOver();
  }

  void OnFinished(bool) {
    is_finished_ = true;
    DeleteWhenOver();
  }

  void DeleteWhenOver() {
    if (!is_finished_ || !is_context_done_) return;
    delete this;
  }

  const RpcContext* const context_;
  health::Health::AsyncService* const service_;
  grpc::ServerContext server_context_;
  health::HealthCheckRequest request_;
  health::HealthCheckResponse response_;
  grpc::ServerAsyncWriter<health::HealthCheckResponse> writer_{&server_context_};
  MethodEvent<WatchCall> arrived_{this, &WatchCall::OnArrived};
  MethodEvent<WatchCall> written_{this, &WatchCall::OnWritten};
  MethodEvent<WatchCall> finished_{this, &WatchCall::OnFinished};
  MethodEvent<WatchCall> context_done_{this, &WatchCall::OnContextDone};
  bool has_written_ = false;
  bool writing_ = false;
  bool finishing_ = false;
  bool draining_ = false;
  bool cancelled_ = false;
  bool is_finished_ = false;
  bool is_context_done_ = false;
};

}  // namespace

void ServeHealth(const RpcContext* context, health::Health::AsyncService* service) {
  UnaryMethod<health::HealthCheckRequest, health::HealthCheckResponse>::Serve(
      context,
      [service](auto* server_context, auto* request, auto* writer, auto* queue, void* tag) {
        service->RequestCheck(server_context, request, writer, queue, queue, tag);
      },
      [context](const auto& request, auto* response) { return Check(*context, request, response); });
  new WatchCall(context, service);
}

}  // namespace rondo
