#ifndef RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_SERVICE_H_
#define RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_SERVICE_H_

#include "inference/open_inference.grpc.pb.h"
#include "server/rpc/call/headers_first.h"
#include "server/rpc/call/rpc_context.h"

namespace rondo {

// Its two hot methods read and write the messages of infer_wire.proto, not the generated ones.
using OpenInferenceService = HeadersFirst<inference::GRPCInferenceService>;

// Serves ModelInfer and ModelStreamInfer of inference.GRPCInferenceService, the protocol of Triton's clients, on the
// context's loop.
void ServeModelInfer(const RpcContext* context, OpenInferenceService* service);
// Serves every other method of the service.
void ServeOpenInference(const RpcContext* context, OpenInferenceService* service);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_SERVICE_H_
