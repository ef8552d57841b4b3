#include "server/rpc/native/inference_service.h"

#include "server/rpc/call/predict_call.h"
#include "server/rpc/call/stream_call.h"
#include "server/rpc/native/predict_rpc.h"

namespace rondo {

void ServeInference(const RpcContext* context, v1::Inference::AsyncService* service) {
  ListenToMany<PredictCall<PredictRpc>>(context, service);
  ListenToMany<StreamCall<StreamPredictRpc>>(context, service);
  ListenToMany<PredictCall<ForecastRpc>>(context, service);
}

}  // namespace rondo
