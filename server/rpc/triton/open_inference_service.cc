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

using Api = inference::GRPCInferenceService;
using Service = OpenInferenceService;

// What StreamCall needs to know of ModelStreamInfer.
struct ModelStreamInferRpc {
  using Service = OpenInferenceService;
  using Message = OpenInferenceMessage;
  using Request = inference::wire::InferRequest;
  using Response = inference::wire::StreamInferResponse;
  static constexpr Method kMethod = Method::kModelStreamInfer;
  static constexpr auto kRequest = &Service::RequestStreamInfer;

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

void ServeUnserved(const RpcContext* context, Service* service) {
  const auto load = Unserved("models are loaded from the server's folder: put files there or remove them");
  ServeUnary<Api>(context, service, "RepositoryModelLoad", &Service::RequestRepositoryModelLoad, load);
  ServeUnary<Api>(context, service, "RepositoryModelUnload", &Service::RequestRepositoryModelUnload, load);
  const auto memory = Unserved("shared memory is not served: send tensors in requests");
  ServeUnary<Api>(context, service, "SystemSharedMemoryStatus", &Service::RequestSystemSharedMemoryStatus, memory);
  ServeUnary<Api>(context, service, "SystemSharedMemoryRegister", &Service::RequestSystemSharedMemoryRegister, memory);
  ServeUnary<Api>(context, service, "SystemSharedMemoryUnregister", &Service::RequestSystemSharedMemoryUnregister,
                  memory);
  ServeUnary<Api>(context, service, "CudaSharedMemoryStatus", &Service::RequestCudaSharedMemoryStatus, memory);
  ServeUnary<Api>(context, service, "CudaSharedMemoryRegister", &Service::RequestCudaSharedMemoryRegister, memory);
  ServeUnary<Api>(context, service, "CudaSharedMemoryUnregister", &Service::RequestCudaSharedMemoryUnregister, memory);
  ServeUnary<Api>(context, service, "TraceSetting", &Service::RequestTraceSetting,
                  Unserved("tracing is not served: see /metrics"));
  ServeUnary<Api>(context, service, "LogSettings", &Service::RequestLogSettings,
                  Unserved("log settings are not served: they are flags"));
}

// gRPC numbers a service's methods as they stand in its .proto.
int IndexOf(const char* method) {
  return inference::ModelInferRequest::descriptor()->file()->service(0)->FindMethodByName(method)->index();
}

}  // namespace

void OpenInferenceService::RequestInfer(grpc::ServerContext* context, inference::wire::InferRequest* request,
                                        grpc::ServerAsyncResponseWriter<inference::wire::InferResponse>* writer,
                                        grpc::CompletionQueue* call_queue, grpc::ServerCompletionQueue* queue,
                                        void* tag) {
  static const int index = IndexOf("ModelInfer");
  RequestAsyncUnary(index, context, request, writer, call_queue, queue, tag);
}

void OpenInferenceService::RequestStreamInfer(
    grpc::ServerContext* context,
    grpc::ServerAsyncReaderWriter<inference::wire::StreamInferResponse, inference::wire::InferRequest>* stream,
    grpc::CompletionQueue* call_queue, grpc::ServerCompletionQueue* queue, void* tag) {
  static const int index = IndexOf("ModelStreamInfer");
  RequestAsyncBidiStreaming(index, context, stream, call_queue, queue, tag);
}

void ServeModelInfer(const RpcContext* context, Service* service) {
  ListenToMany<PredictCall<Service, OpenInferenceMessage, Method::kModelInfer, &Service::RequestInfer,
                           &OpenInferenceMessage::unary_response>>(context, service, RuleFor<Api>("ModelInfer"));
  ListenToMany<StreamCall<ModelStreamInferRpc>>(context, service, RuleFor<Api>("ModelStreamInfer"));
}

void ServeOpenInference(const RpcContext* context, Service* service) {
  ServeUnary<Api>(context, service, "ServerLive", &Service::RequestServerLive, [](const auto&, auto* response) {
    response->set_live(true);
    return absl::OkStatus();
  });
  ServeUnary<Api>(context, service, "ServerReady", &Service::RequestServerReady,
                  [context](const auto&, auto* response) {
                    response->set_ready(!context->leaving->load() && context->registry->ready());
                    return absl::OkStatus();
                  });
  ServeUnary<Api>(context, service, "ServerMetadata", &Service::RequestServerMetadata, [](const auto&, auto* response) {
    response->set_name("rondo");
    response->set_version(RONDO_VERSION);
    for (const char* extension :
         {"sequence", "sequence(string_id)", "model_configuration", "parameters", "statistics"}) {
      response->add_extensions(extension);
    }
    return absl::OkStatus();
  });
  ServeUnary<Api>(context, service, "ModelReady", &Service::RequestModelReady,
                  FromRegistry(context, &AnswerModelReady));
  ServeUnary<Api>(context, service, "ModelMetadata", &Service::RequestModelMetadata,
                  FromRegistry(context, &AnswerModelMetadata));
  ServeUnary<Api>(context, service, "ModelConfig", &Service::RequestModelConfig,
                  FromRegistry(context, &AnswerModelConfig));
  ServeUnary<Api>(context, service, "ModelStatistics", &Service::RequestModelStatistics,
                  FromRegistry(context, &AnswerModelStatistics));
  ServeUnary<Api>(context, service, "RepositoryIndex", &Service::RequestRepositoryIndex,
                  FromRegistry(context, &AnswerRepositoryIndex));
  ServeUnserved(context, service);
}

}  // namespace rondo
