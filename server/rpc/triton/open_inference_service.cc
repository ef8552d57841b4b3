#include "server/rpc/triton/open_inference_service.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rpc/call/predict_call.h"
#include "server/rpc/call/stream_call.h"
#include "server/rpc/call/unary_method.h"
#include "server/rpc/triton/open_inference_message.h"
#include "server/rpc/triton/open_inference_models.h"

namespace rondo {
namespace {

using Service = inference::GRPCInferenceService::Service;

// What StreamCall needs to know of ModelStreamInfer.
struct ModelStreamInferRpc {
  using Message = OpenInferenceMessage;
  using Request = inference::wire::InferRequest;
  using Response = inference::wire::StreamInferResponse;
  static constexpr Method kMethod = Method::kModelStreamInfer;

  static bool ErrorsEndStream(const grpc::ServerContext& context) {
    const auto found = context.client_metadata().find("triton_grpc_error");
    return found != context.client_metadata().end() && found->second == "true";
  }
  static StreamTerms TermsOf(const Message&) { return {}; }
  static void Start(absl::Time now, absl::Time deadline, const MovedSessions&, const absl::Status&, Message* message) {
    message->Start(now, deadline);
  }
  static void TellEnded(absl::string_view, absl::string_view, Response*) {}
  static void NoteMoved(const Message&, MovedSessions*) {}
  static bool SayGoingAway(const MovedSessions&, Response*) { return false; }
};

// A model's methods: what they need besides the messages is the registry.
template <typename Request, typename Response>
auto FromRegistry(const RpcContext* context, absl::Status (*answer)(const ModelRegistry&, const Request&, Response*)) {
  return [context, answer](const Request& request, Response* response) {
    return answer(*context->registry, request, response);
  };
}

auto Unserved(absl::string_view what) {
  const std::string text(what);
  return [text](const inference::UnservedRequest&, inference::UnservedResponse*) {
    return absl::UnimplementedError(text);
  };
}

void ServeUnserved(const RpcContext* context, OpenInferenceService* service) {
  const auto load = Unserved("models are loaded from the server's folder: put files there or remove them");
  ServeUnary(context, service, "RepositoryModelLoad", &Service::RepositoryModelLoad, load);
  ServeUnary(context, service, "RepositoryModelUnload", &Service::RepositoryModelUnload, load);
  const auto memory = Unserved("shared memory is not served: send tensors in requests");
  ServeUnary(context, service, "SystemSharedMemoryStatus", &Service::SystemSharedMemoryStatus, memory);
  ServeUnary(context, service, "SystemSharedMemoryRegister", &Service::SystemSharedMemoryRegister, memory);
  ServeUnary(context, service, "SystemSharedMemoryUnregister", &Service::SystemSharedMemoryUnregister, memory);
  ServeUnary(context, service, "CudaSharedMemoryStatus", &Service::CudaSharedMemoryStatus, memory);
  ServeUnary(context, service, "CudaSharedMemoryRegister", &Service::CudaSharedMemoryRegister, memory);
  ServeUnary(context, service, "CudaSharedMemoryUnregister", &Service::CudaSharedMemoryUnregister, memory);
  ServeUnary(context, service, "TraceSetting", &Service::TraceSetting,
             Unserved("settings of tracing are not served: they are flags"));
  ServeUnary(context, service, "LogSettings", &Service::LogSettings,
             Unserved("log settings are not served: they are flags"));
}

}  // namespace

void ServeModelInfer(const RpcContext* context, OpenInferenceService* service) {
  ListenToMany<PredictCall<OpenInferenceMessage, Method::kModelInfer, &OpenInferenceMessage::unary_response>>(
      context, MethodNamed(service, "ModelInfer"));
  ListenToMany<StreamCall<ModelStreamInferRpc>>(context, MethodNamed(service, "ModelStreamInfer"));
}

void ServeOpenInference(const RpcContext* context, OpenInferenceService* service) {
  ServeUnary(context, service, "ServerLive", &Service::ServerLive, [](const auto&, auto* response) {
    response->set_live(true);
    return absl::OkStatus();
  });
  ServeUnary(context, service, "ServerReady", &Service::ServerReady, [context](const auto&, auto* response) {
    response->set_ready(!context->leaving->load() && context->registry->ready());
    return absl::OkStatus();
  });
  ServeUnary(context, service, "ServerMetadata", &Service::ServerMetadata, [](const auto&, auto* response) {
    response->set_name("rondo");
    response->set_version(RONDO_VERSION);
    for (const char* extension :
         {"sequence", "sequence(string_id)", "model_configuration", "parameters", "statistics"}) {
      response->add_extensions(extension);
    }
    return absl::OkStatus();
  });
  ServeUnary(context, service, "ModelReady", &Service::ModelReady, FromRegistry(context, &AnswerModelReady));
  ServeUnary(context, service, "ModelMetadata", &Service::ModelMetadata, FromRegistry(context, &AnswerModelMetadata));
  ServeUnary(context, service, "ModelConfig", &Service::ModelConfig, FromRegistry(context, &AnswerModelConfig));
  ServeUnary(context, service, "ModelStatistics", &Service::ModelStatistics,
             FromRegistry(context, &AnswerModelStatistics));
  ServeUnary(context, service, "RepositoryIndex", &Service::RepositoryIndex,
             FromRegistry(context, &AnswerRepositoryIndex));
  ServeUnserved(context, service);
}

}  // namespace rondo
