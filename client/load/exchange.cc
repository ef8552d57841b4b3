#include "client/load/exchange.h"

#include "client/load/native_exchange.h"
#include "client/load/open_inference_exchange.h"
#include "client/load/pooled_exchange.h"

namespace rondo::load {

std::string MethodOf(const MessageShape& shape) {
  if (shape.protocol == Protocol::kNative) {
    return shape.unary ? "/rondo.v1.Inference/Predict" : "/rondo.v1.Inference/StreamPredict";
  }
  return shape.unary ? "/inference.GRPCInferenceService/ModelInfer"
                     : "/inference.GRPCInferenceService/ModelStreamInfer";
}

std::unique_ptr<Exchange> MakeExchange(const MessageShape& shape, uint64_t run, int lane, uint64_t seed) {
  if (shape.lane_sessions > 0) return std::make_unique<PooledExchange>(shape, run, lane, seed);
  if (shape.protocol == Protocol::kNative) return std::make_unique<NativeExchange>(shape, run, lane, seed);
  return std::make_unique<OpenInferenceExchange>(shape, run, lane, seed);
}

}  // namespace rondo::load
