#include "server/rpc/triton/open_inference_service.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rpc/call/predict_call_impl.h"
#include "server/rpc/call/stream_call_impl.h"
#include "server/rpc/call/unary_method.h"
#include "server/rpc/triton/open_inference_models.h"
#include "server/rpc/triton/open_inference_rpc.h"

namespace rondo {
namespace {

using Service = OpenInferenceService;

// As in inference_service.cc.
constexpr int kListeners = 16;

// `request`: the generated Request...() of the method.
template <typename Base, typename Request, typename Response, typename Handler>
void Serve(const RpcContext* context, Service* service,
           void (Base::*request)(grpc::ServerContext*, Request*, grpc::ServerAsyncResponseWriter<Response>*,
                                 grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*),
           Handler handler) {
  UnaryMethod<Request, Response>::Serve(
      context,
      [service, request](auto* server_context, auto* message, auto* writer, auto* queue, void* tag) {
        (service->*request)(server_context, message, writer, queue, queue, tag);
      },
      std::move(handler));
}

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
  Serve(context, service, &Service::RequestRepositoryModelLoad, load);
  Serve(context, service, &Service::RequestRepositoryModelUnload, load);
  const auto memory = Unserved("shared memory is not served: send tensors in requests");
  Serve(context, service, &Service::RequestSystemSharedMemoryStatus, memory);
  Serve(context, service, &Service::RequestSystemSharedMemoryRegister, memory);
  Serve(context, service, &Service::RequestSystemSharedMemoryUnregister, memory);
  Serve(context, service, &Service::RequestCudaSharedMemoryStatus, memory);
  Serve(context, service, &Service::RequestCudaSharedMemoryRegister, memory);
  Serve(context, service, &Service::RequestCudaSharedMemoryUnregister, memory);
  Serve(context, service, &Service::RequestTraceSetting, Unserved("tracing is not served: see /metrics"));
  Serve(context, service, &Service::RequestLogSettings, Unserved("log settings are not served: they are flags"));
}

// gRPC numbers a service's methods as they stand in its .proto.
int IndexOf(const char* method) {
  return inference::ModelInferRequest::descriptor()->file()->service(0)->FindMethodByName(method)->index();
}

}  // namespace

template class PredictCall<ModelInferRpc>;
template class StreamCall<ModelStreamInferRpc>;

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
  for (int i = 0; i < kListeners; ++i) {
    PredictCall<ModelInferRpc>::Listen(context, service);
    StreamCall<ModelStreamInferRpc>::Listen(context, service);
  }
}

void ServeOpenInference(const RpcContext* context, Service* service) {
  Serve(context, service, &Service::RequestServerLive, [](const auto&, auto* response) {
    response->set_live(true);
    return absl::OkStatus();
  });
  Serve(context, service, &Service::RequestServerReady, [context](const auto&, auto* response) {
    response->set_ready(!context->draining->load());
    return absl::OkStatus();
  });
  Serve(context, service, &Service::RequestServerMetadata, [](const auto&, auto* response) {
    response->set_name("rondo");
    response->set_version(RONDO_VERSION);
    for (const char* extension :
         {"sequence", "sequence(string_id)", "model_configuration", "parameters", "statistics"}) {
      response->add_extensions(extension);
    }
    return absl::OkStatus();
  });
  Serve(context, service, &Service::RequestModelReady, FromRegistry(context, &AnswerModelReady));
  Serve(context, service, &Service::RequestModelMetadata, FromRegistry(context, &AnswerModelMetadata));
  Serve(context, service, &Service::RequestModelConfig, FromRegistry(context, &AnswerModelConfig));
  Serve(context, service, &Service::RequestModelStatistics, FromRegistry(context, &AnswerModelStatistics));
  Serve(context, service, &Service::RequestRepositoryIndex, FromRegistry(context, &AnswerRepositoryIndex));
  ServeUnserved(context, service);
}

}  // namespace rondo
