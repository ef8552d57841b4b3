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
  ServeUnary(context, service, &Service::RequestRepositoryModelLoad, load);
  ServeUnary(context, service, &Service::RequestRepositoryModelUnload, load);
  const auto memory = Unserved("shared memory is not served: send tensors in requests");
  ServeUnary(context, service, &Service::RequestSystemSharedMemoryStatus, memory);
  ServeUnary(context, service, &Service::RequestSystemSharedMemoryRegister, memory);
  ServeUnary(context, service, &Service::RequestSystemSharedMemoryUnregister, memory);
  ServeUnary(context, service, &Service::RequestCudaSharedMemoryStatus, memory);
  ServeUnary(context, service, &Service::RequestCudaSharedMemoryRegister, memory);
  ServeUnary(context, service, &Service::RequestCudaSharedMemoryUnregister, memory);
  ServeUnary(context, service, &Service::RequestTraceSetting, Unserved("tracing is not served: see /metrics"));
  ServeUnary(context, service, &Service::RequestLogSettings, Unserved("log settings are not served: they are flags"));
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
                           &OpenInferenceMessage::unary_response>>(context, service);
  ListenToMany<StreamCall<ModelStreamInferRpc>>(context, service);
}

void ServeOpenInference(const RpcContext* context, Service* service) {
  ServeUnary(context, service, &Service::RequestServerLive, [](const auto&, auto* response) {
    response->set_live(true);
    return absl::OkStatus();
  });
  ServeUnary(context, service, &Service::RequestServerReady, [context](const auto&, auto* response) {
    response->set_ready(!context->leaving->load() && context->registry->ready());
    return absl::OkStatus();
  });
  ServeUnary(context, service, &Service::RequestServerMetadata, [](const auto&, auto* response) {
    response->set_name("rondo");
    response->set_version(RONDO_VERSION);
    for (const char* extension :
         {"sequence", "sequence(string_id)", "model_configuration", "parameters", "statistics"}) {
      response->add_extensions(extension);
    }
    return absl::OkStatus();
  });
  ServeUnary(context, service, &Service::RequestModelReady, FromRegistry(context, &AnswerModelReady));
  ServeUnary(context, service, &Service::RequestModelMetadata, FromRegistry(context, &AnswerModelMetadata));
  ServeUnary(context, service, &Service::RequestModelConfig, FromRegistry(context, &AnswerModelConfig));
  ServeUnary(context, service, &Service::RequestModelStatistics, FromRegistry(context, &AnswerModelStatistics));
  ServeUnary(context, service, &Service::RequestRepositoryIndex, FromRegistry(context, &AnswerRepositoryIndex));
  ServeUnserved(context, service);
}

}  // namespace rondo
