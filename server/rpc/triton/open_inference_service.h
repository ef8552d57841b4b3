#ifndef RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_SERVICE_H_
#define RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_SERVICE_H_

#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>

#include "inference/infer_wire.pb.h"
#include "inference/open_inference.grpc.pb.h"
#include "server/rpc/call/rpc_context.h"

namespace rondo {

// The generated service, whose two hot methods read and write the messages of infer_wire.proto.
class OpenInferenceService : public inference::GRPCInferenceService::AsyncService {
 public:
  // Await a call, as the generated RequestModelInfer and RequestModelStreamInfer do.
  void RequestInfer(grpc::ServerContext* context, inference::wire::InferRequest* request,
                    grpc::ServerAsyncResponseWriter<inference::wire::InferResponse>* writer,
                    grpc::CompletionQueue* call_queue, grpc::ServerCompletionQueue* queue, void* tag);
  void RequestStreamInfer(
      grpc::ServerContext* context,
      grpc::ServerAsyncReaderWriter<inference::wire::StreamInferResponse, inference::wire::InferRequest>* stream,
      grpc::CompletionQueue* call_queue, grpc::ServerCompletionQueue* queue, void* tag);
};

// Serves ModelInfer and ModelStreamInfer of inference.GRPCInferenceService, the protocol of Triton's clients, on the
// context's loop.
void ServeModelInfer(const RpcContext* context, OpenInferenceService* service);
// Serves every other method of the service.
void ServeOpenInference(const RpcContext* context, OpenInferenceService* service);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_SERVICE_H_
