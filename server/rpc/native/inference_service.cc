#include "server/rpc/native/inference_service.h"

#include "server/rpc/call/predict_call_impl.h"
#include "server/rpc/call/stream_call_impl.h"
#include "server/rpc/native/forecast_call.h"
#include "server/rpc/native/predict_rpc.h"

namespace rondo {
namespace {

// Calls of one kind that gRPC can hand over before the first of them has been looked at.
constexpr int kListeners = 16;

}  // namespace

template class PredictCall<PredictRpc>;
template class StreamCall<StreamPredictRpc>;

void ServeInference(const RpcContext* context, v1::Inference::AsyncService* service) {
  for (int i = 0; i < kListeners; ++i) {
    PredictCall<PredictRpc>::Listen(context, service);
    StreamCall<StreamPredictRpc>::Listen(context, service);
    ForecastCall::Listen(context, service);
  }
}

}  // namespace rondo
