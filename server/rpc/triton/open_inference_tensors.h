#ifndef RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_TENSORS_H_
#define RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_TENSORS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "inference/infer_wire.pb.h"
#include "model/model.h"

namespace rondo {

using inference::wire::InferRequest;
using inference::wire::InferResponse;

// The tensors of every model:
//   INPUT   [timesteps, input_size], FP32; a token model: [timesteps, 1], INT64. Instead of it a request may bring one
//           tensor [timesteps] or [timesteps, 1] a named input.
//   TIMES   [timesteps], INT64: unix seconds; for models with calendar inputs
//   OUTPUT  [timesteps, output_size], FP32
// A leading dimension of 1 more is taken as a batch of one, and so answered.
inline constexpr absl::string_view kInputTensor = "INPUT";
inline constexpr absl::string_view kTimesTensor = "TIMES";
inline constexpr absl::string_view kOutputTensor = "OUTPUT";

// What the parameters of a request say.
struct InferTerms {
  std::string session_id;  // empty: none
  bool start = false;
  bool end = false;
  absl::Duration timeout = absl::InfiniteDuration();
};

// The numbers of a request's tensors as a model takes them: in the request where they stand so there, else in a buffer
// here, which is kept from one request to the next.
struct InferTensors {
  absl::Span<const float> values;   // [timesteps][input_size]
  absl::Span<const int64_t> times;  // [timesteps], or empty
  std::vector<float> value_buffer;
  std::vector<int64_t> time_buffer;
};

// Reads the request's parameters. INVALID_ARGUMENT, as Triton: a wrong type, a negative number, a flag without an id,
// or an unknown key that begins with "triton_".
absl::Status ReadParameters(const InferRequest& request, InferTerms* terms);

// 0 for an empty text. INVALID_ARGUMENT: not a positive number.
absl::Status ReadVersion(absl::string_view text, int64_t* version);

// Reads the request's tensors for `model`, and judges the outputs it asks for. INVALID_ARGUMENT says what came and what
// was wanted. How many values and times fit is left to CheckTimesteps, but no more than max_timesteps are read.
absl::Status ReadTensors(const InferRequest& request, const Model& model, size_t max_timesteps, InferTensors* tensors);

// How many numbers the request's tensors bring but TIMES, whichever model takes them.
size_t CountNumbers(const InferRequest& request);

// Makes room for `count` floats of OUTPUT, the one output of *response, which may have that of an earlier request.
float* AllocateOutput(size_t count, InferResponse* response);
// Gives OUTPUT its shape: `timesteps` rows, with the batch dimension if the request has it.
void ShapeOutput(const InferRequest& request, size_t timesteps, InferResponse* response);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_TENSORS_H_
