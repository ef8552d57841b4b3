#ifndef RONDO_SERVER_RPC_OPEN_INFERENCE_SERVICE_H_
#define RONDO_SERVER_RPC_OPEN_INFERENCE_SERVICE_H_

#include "inference/open_inference.grpc.pb.h"
#include "server/rpc/rpc_context.h"

namespace rondo {

// Serves inference.GRPCInferenceService, the protocol of Triton's clients, on the context's loop.
void ServeModelInfer(const RpcContext* context, inference::GRPCInferenceService::AsyncService* service);
// Everything but ModelInfer and ModelStreamInfer.
void ServeOpenInference(const RpcContext* context, inference::GRPCInferenceService::AsyncService* service);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_OPEN_INFERENCE_SERVICE_H_
