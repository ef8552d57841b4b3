#ifndef RONDO_SERVER_RPC_NATIVE_INFERENCE_SERVICE_H_
#define RONDO_SERVER_RPC_NATIVE_INFERENCE_SERVICE_H_

#include "rondo/v1/inference.grpc.pb.h"
#include "server/rpc/call/rpc_context.h"

namespace rondo {

// Predict, StreamPredict and Forecast: the hot calls, on every loop.
void ServeInference(const RpcContext* context, v1::Inference::AsyncService* service);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_INFERENCE_SERVICE_H_
