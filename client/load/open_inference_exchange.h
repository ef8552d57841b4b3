#ifndef RONDO_CLIENT_LOAD_OPEN_INFERENCE_EXCHANGE_H_
#define RONDO_CLIENT_LOAD_OPEN_INFERENCE_EXCHANGE_H_

#include "client/load/exchange.h"
#include "inference/open_inference.pb.h"

namespace rondo::load {

// inference.GRPCInferenceService, with the fields that Triton's C++ client and perf_analyzer fill: a request id, the
// three sequence parameters, triton_enable_empty_final_response, raw contents, the wanted output by name. A lane has
// one sequence: START goes with its first request and with the first one after a failure, END with the last.
class OpenInferenceExchange final : public Exchange {
 public:
  // REQUIRES: shape.sessions_per_message is 1.
  OpenInferenceExchange(const MessageShape& shape, uint64_t run, int lane, uint64_t seed);

  const google::protobuf::MessageLite& Next(size_t in_flight) override;
  const google::protobuf::MessageLite* Last() override;
  google::protobuf::MessageLite* reply() override;
  Verdict OnReply() override;
  void OnFailure() override;
  std::vector<std::string> SessionIds() const override;

 private:
  void AddParameters(uint64_t run, int lane);
  void AddTensors(uint64_t seed);
  Verdict JudgeReply(const std::string& wanted_id) const;

  // The server is no rondo-server.
  bool foreign() const { return !shape_.foreign.shape.empty(); }

  const MessageShape shape_;
  std::string session_id_;  // as the native API names it
  inference::ModelInferRequest request_;
  inference::ModelStreamInferResponse reply_;
  // Values of request_'s parameters; null if stateless. A map of protobuf's keeps its values where they are.
  inference::InferParameter* start_ = nullptr;
  inference::InferParameter* end_ = nullptr;
  // Requests are numbered from 1, and answered in order: the number is the request's id.
  uint64_t sent_ = 0;
  uint64_t answered_ = 0;
  bool starts_ = true;  // the next request carries START
  bool alive_ = false;  // the sequence may live on the server
};

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_OPEN_INFERENCE_EXCHANGE_H_
