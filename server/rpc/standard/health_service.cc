#include "server/rpc/standard/health_service.h"

#include <grpcpp/support/async_stream.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"
#include "server/rpc/call/unary_method.h"

namespace rondo {
namespace {

namespace health = grpc::health::v1;
using ServingStatus = health::HealthCheckResponse::ServingStatus;

ServingStatus StatusOf(const RpcContext& context, const ServiceNames& names, const std::string& service) {
  if (!service.empty() && std::find(names.begin(), names.end(), service) == names.end()) {
    return health::HealthCheckResponse::SERVICE_UNKNOWN;
  }
  return context.draining->load() ? health::HealthCheckResponse::NOT_SERVING : health::HealthCheckResponse::SERVING;
}

absl::Status Check(const RpcContext& context, const ServiceNames& names, const health::HealthCheckRequest& request,
                   health::HealthCheckResponse* response) {
  const ServingStatus status = StatusOf(context, names, request.service());
  if (status == health::HealthCheckResponse::SERVICE_UNKNOWN) {
    return Refuse(Why::kNotFound, absl::StrCat("no service '", request.service(), "' here; '' is the whole server"));
  }
  response->set_status(status);
  return absl::OkStatus();
}

// One Watch: the status now, and once more when the server drains.
class WatchCall : public RpcCall {
 public:
  WatchCall(const RpcContext* context, health::Health::AsyncService* service, const ServiceNames* names)
      : RpcCall(context), service_(service), names_(names) {
    Await(service_, &health::Health::AsyncService::RequestWatch, &request_, &writer_);
  }

  void Drain() override {
    draining_ = true;
    WriteOrFinish();
  }

 private:
  void OnArrived() override {
    Listen<WatchCall>(context(), service_, names_);
    draining_ = context()->draining->load();
    WriteOrFinish();
  }
  void OnCancelled() override {
    cancelled_ = true;
    WriteOrFinish();
  }

  void WriteOrFinish() {
    if (writing_ || finishing()) return;
    const ServingStatus status = StatusOf(*context(), *names_, request_.service());
    if (!cancelled_ && (!has_written_ || response_.status() != status)) {
      response_.set_status(status);
      has_written_ = writing_ = true;
      writer_.Write(response_, Begin(&written_));
    } else if (cancelled_ || draining_) {
      writer_.Finish(ToGrpcStatus(ShuttingDown()), BeginFinish());
    }
  }

  void OnWritten(bool ok) {
    writing_ = false;
    cancelled_ = cancelled_ || !ok;
    WriteOrFinish();
  }

  health::Health::AsyncService* const service_;
  const ServiceNames* const names_;
  health::HealthCheckRequest request_;
  health::HealthCheckResponse response_;
  grpc::ServerAsyncWriter<health::HealthCheckResponse> writer_{server_context()};
  CallEvent<&WatchCall::OnWritten> written_{this};
  bool has_written_ = false;
  bool writing_ = false;
  bool draining_ = false;
  bool cancelled_ = false;
};

}  // namespace

void ServeHealth(const RpcContext* context, health::Health::AsyncService* service, const ServiceNames* names) {
  ServeUnary(
      context, service, &health::Health::AsyncService::RequestCheck,
      [context, names](const auto& request, auto* response) { return Check(*context, *names, request, response); });
  Listen<WatchCall>(context, service, names);
}

}  // namespace rondo
