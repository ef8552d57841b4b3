#ifndef RONDO_SERVER_RPC_NATIVE_PREDICT_RPC_H_
#define RONDO_SERVER_RPC_NATIVE_PREDICT_RPC_H_

#include <grpcpp/server_context.h>

#include "rondo/v1/inference.grpc.pb.h"
#include "server/metrics/requests_probe.h"
#include "server/rpc/native/forecast_message.h"
#include "server/rpc/native/predict_message.h"
#include "server/serve/moved_sessions.h"

namespace rondo {

// What PredictCall and StreamCall need to know of the native methods. Those of the Open Inference Protocol are in
// open_inference_rpc.h.
struct PredictRpc {
  using Service = v1::Inference::AsyncService;
  using Message = PredictMessage;
  using Response = v1::PredictResponse;
  static constexpr Method kMethod = Method::kPredict;
  static constexpr auto kRequest = &Service::RequestPredict;

  static const Response& ResponseOf(const Message& message) { return message.response(); }
};

struct ForecastRpc {
  using Service = v1::Inference::AsyncService;
  using Message = ForecastMessage;
  using Response = v1::ForecastResponse;
  static constexpr Method kMethod = Method::kForecast;
  static constexpr auto kRequest = &Service::RequestForecast;

  static const Response& ResponseOf(const Message& message) { return message.response(); }
};

struct StreamPredictRpc {
  using Service = v1::Inference::AsyncService;
  using Message = PredictMessage;
  using Request = v1::PredictRequest;
  using Response = v1::PredictResponse;
  static constexpr Method kMethod = Method::kStreamPredict;
  static constexpr auto kRequest = &Service::RequestStreamPredict;

  static bool ErrorsEndStream(const grpc::ServerContext&) { return false; }
  // Notes in *moved what `message` did to its sessions.
  static void NoteMoved(const Message& message, MovedSessions* moved);
  // Fills the last message of a stream whose server goes away. False: this protocol has none.
  static bool SayGoingAway(const MovedSessions& moved, Response* response);
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_PREDICT_RPC_H_
