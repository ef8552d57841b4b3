#ifndef RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_RPC_H_
#define RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_RPC_H_

#include <grpcpp/server_context.h>

#include "server/metrics/requests_probe.h"
#include "server/rpc/triton/open_inference_message.h"
#include "server/rpc/triton/open_inference_service.h"
#include "server/serve/moved_sessions.h"

namespace rondo {

// What PredictCall and StreamCall need to know of the Open Inference Protocol's methods.
struct ModelInferRpc {
  using Service = OpenInferenceService;
  using Message = OpenInferenceMessage;
  using Response = inference::wire::InferResponse;
  static constexpr Method kMethod = Method::kModelInfer;
  static constexpr auto kRequest = &Service::RequestInfer;

  static const Response& ResponseOf(const Message& message) { return message.response().infer_response(); }
};

struct ModelStreamInferRpc {
  using Service = OpenInferenceService;
  using Message = OpenInferenceMessage;
  using Request = inference::wire::InferRequest;
  using Response = inference::wire::StreamInferResponse;
  static constexpr Method kMethod = Method::kModelStreamInfer;
  static constexpr auto kRequest = &Service::RequestStreamInfer;

  static bool ErrorsEndStream(const grpc::ServerContext& context) {
    const auto found = context.client_metadata().find("triton_grpc_error");
    return found != context.client_metadata().end() && found->second == "true";
  }
  static void NoteMoved(const Message&, MovedSessions*) {}
  static bool SayGoingAway(const MovedSessions&, Response*) { return false; }
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_RPC_H_
