#ifndef RONDO_MODEL_CONVERT_ONNX_ONNX_WRITER_H_
#define RONDO_MODEL_CONVERT_ONNX_ONNX_WRITER_H_

#include <string>

#include "absl/status/statusor.h"
#include "model/convert/graph/element_graph.h"

namespace rondo::convert {

// Writes a network as an ONNX model of opset 17: input X [timesteps, inputs] (whole numbers [timesteps] of a token
// model), output Y [timesteps, outputs], from a new session's state on. INVALID_ARGUMENT names an element that ONNX has
// no operators for.
absl::StatusOr<std::string> WriteOnnx(const ElementGraph& graph);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_ONNX_WRITER_H_
