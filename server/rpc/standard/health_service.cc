#include "server/rpc/standard/health_service.h"

#include <grpcpp/support/async_stream.h>

#include <cstddef>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/invalid.h"
#include "server/refusal/refusal.h"
#include "server/registry/model_source.h"
#include "server/rpc/call/unary_method.h"
#include "server/serve/record_refusal.h"

namespace rondo {
namespace {

namespace health = grpc::health::v1;
using ServingStatus = health::HealthCheckResponse::ServingStatus;

// `text`: NAME or NAME/VERSION.
ServingStatus StatusOfModel(const ModelRegistry& registry, absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('/', 1));
  const int64_t version = ParseModelVersion(parts.second);
  if (version == 0 && parts.first.size() != text.size()) return health::HealthCheckResponse::SERVICE_UNKNOWN;
  const absl::Status found = registry.Find(parts.first, version).status();
  return found.ok()                   ? health::HealthCheckResponse::SERVING
         : absl::IsUnavailable(found) ? health::HealthCheckResponse::NOT_SERVING
                                      : health::HealthCheckResponse::SERVICE_UNKNOWN;
}

ServingStatus StatusWhileUp(const RpcContext& context, const HealthyServices& services, absl::string_view service) {
  if (absl::ConsumePrefix(&service, "model/")) return StatusOfModel(*context.registry, service);
  const auto known = absl::c_find_if(services, [&](const HealthyService& one) { return one.name == service; });
  if (!service.empty() && known == services.end()) return health::HealthCheckResponse::SERVICE_UNKNOWN;
  const bool needs_models = service.empty() || known->needs_models;
  return !needs_models || context.registry->ready() ? health::HealthCheckResponse::SERVING
                                                    : health::HealthCheckResponse::NOT_SERVING;
}

ServingStatus StatusOf(const RpcContext& context, const HealthyServices& services, const std::string& service) {
  const ServingStatus status = StatusWhileUp(context, services, service);
  const bool leaves = status == health::HealthCheckResponse::SERVING && context.leaving->load();
  return leaves ? health::HealthCheckResponse::NOT_SERVING : status;
}

absl::Status Check(const RpcContext& context, const HealthyServices& services,
                   const health::HealthCheckRequest& request, health::HealthCheckResponse* response) {
  const ServingStatus status = StatusOf(context, services, request.service());
  if (status == health::HealthCheckResponse::SERVICE_UNKNOWN) {
    return Refuse(Why::kNotFound,
                  absl::StrCat("no service '", request.service(),
                               "' here; '' is the whole server, model/NAME or model/NAME/VERSION a model"));
  }
  response->set_status(status);
  return absl::OkStatus();
}

// One Watch: the status now, and each time it changes, until the server drains.
class WatchCall : public OneMessageCall {
 public:
  WatchCall(const RpcContext* context, const ServedMethod& method, const HealthyServices* services)
      : OneMessageCall(context, method), services_(services) {
    Await(&stream_);
  }

  void HealthMayHaveChanged() override {
    if (has_message()) WriteOrFinish();
  }

 private:
  static constexpr size_t kMaxServiceBytes = 512;
  static constexpr size_t kStreamBytes = 32 << 10;  // here and in gRPC, about

  void ListenAgain() override { Listen<WatchCall>(context(), method(), services_); }
  void OnDenied(const absl::Status& status) override {
    stream_.Finish(ToGrpcStatus(status, server_context()), BeginFinish());
  }
  void ReadMessage(Event* event) override { stream_.Read(&request_, event); }
  void OnMessage() override {
    absl::Status status = context()->memory->Take(kStreamBytes);
    if (request_.service().size() > kMaxServiceBytes) {  // it is kept as long as the call
      status =
          Invalid("the service's name has ", request_.service().size(), " bytes; wanted at most ", kMaxServiceBytes);
    }
    if (!status.ok()) {
      RecordRefusal(status, {rule()->method, "", "", this}, context()->metrics);
      return OnDenied(status);
    }
    draining_ = context()->draining->load();
    WriteOrFinish();
  }
  void OnDrain() override {
    draining_ = true;
    WriteOrFinish();
  }
  void OnGone() override {
    cancelled_ = true;
    WriteOrFinish();
  }

  void WriteOrFinish() {
    if (writing_ || finishing()) return;
    const ServingStatus status = StatusOf(*context(), *services_, request_.service());
    if (!cancelled_ && (!has_written_ || response_.status() != status)) {
      response_.set_status(status);
      has_written_ = writing_ = true;
      stream_.Write(response_, Begin(&written_));
    } else if (cancelled_ || draining_) {
      stream_.Finish(ToGrpcStatus(ShuttingDown(), server_context()), BeginFinish());
    }
  }

  void OnWritten(bool ok) {
    writing_ = false;
    cancelled_ = cancelled_ || !ok;
    WriteOrFinish();
  }

  const HealthyServices* const services_;
  health::HealthCheckRequest request_;
  health::HealthCheckResponse response_;
  grpc::ServerAsyncReaderWriter<health::HealthCheckResponse, health::HealthCheckRequest> stream_{server_context()};
  CallEvent<&WatchCall::OnWritten> written_{this};
  bool has_written_ = false;
  bool writing_ = false;
  bool draining_ = false;
  bool cancelled_ = false;
};

}  // namespace

void ServeHealth(const RpcContext* context, HeadersFirst<health::Health>* service, const HealthyServices* services) {
  ServeUnary(context, service, "Check", &health::Health::Service::Check,
             [context, services](const auto& request, auto* response) {
               return Check(*context, *services, request, response);
             });
  Listen<WatchCall>(context, MethodNamed(service, "Watch"), services);
}

}  // namespace rondo
