#ifndef RONDO_CLIENT_LOAD_ECHO_SERVER_ECHO_SERVICE_H_
#define RONDO_CLIENT_LOAD_ECHO_SERVER_ECHO_SERVICE_H_

#include <cstdint>

#include "grpcpp/grpcpp.h"
#include "rondo/v1/inference.grpc.pb.h"

namespace rondo::load {

// The baseline: a bare echo in gRPC's callback API, as most people write one. It answers each message in rondo-server's
// proto messages, with a reply of the shape and size that rondo-server's would have (a result a sequence, with
// next_position and timesteps * output_size values), and does nothing else: no session, no check, no network.
//
// Threads: gRPC's own.
class EchoService final : public v1::Inference::CallbackService {
 public:
  // Floats a timestep, both >= 1.
  EchoService(int64_t input_size, int64_t output_size) : input_size_(input_size), output_size_(output_size) {}

  grpc::ServerUnaryReactor* Predict(grpc::CallbackServerContext* context, const v1::PredictRequest* request,
                                    v1::PredictResponse* reply) override;
  grpc::ServerBidiReactor<v1::PredictRequest, v1::PredictResponse>* StreamPredict(
      grpc::CallbackServerContext* context) override;

  // Fills `reply`, which may hold the last reply.
  void Answer(const v1::PredictRequest& request, v1::PredictResponse* reply) const;

 private:
  const int64_t input_size_;
  const int64_t output_size_;
};

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_ECHO_SERVER_ECHO_SERVICE_H_
