#include "server/rpc/inference_service.h"

#include "server/rpc/forecast_call.h"
#include "server/rpc/predict_call.h"
#include "server/rpc/predict_rpc.h"
#include "server/rpc/stream_call.h"

namespace rondo {
namespace {

// Calls of one kind that gRPC can hand over before the first of them has been looked at.
constexpr int kListeners = 16;

}  // namespace

void ServeInference(const RpcContext* context, v1::Inference::AsyncService* service) {
  for (int i = 0; i < kListeners; ++i) {
    PredictCall<PredictRpc>::Listen(context, service);
    StreamCall<StreamPredictRpc>::Listen(context, service);
    ForecastCall::Listen(context, service);
  }
}

}  // namespace rondo
