#ifndef RONDO_MODEL_CONVERT_ONNX_ONNX_NETWORK_H_
#define RONDO_MODEL_CONVERT_ONNX_ONNX_NETWORK_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/convert/graph/element_graph.h"
#include "model/convert/onnx/onnx_graph.h"

namespace rondo::convert {

struct OnnxOptions {
  std::vector<std::string> states;            // IN:OUT
  std::vector<std::string> outputs;           // which outputs are the answer, side by side; empty: the first
  std::map<std::string, int64_t> dimensions;  // sizes of open dimensions, by name
  std::map<std::string, Array> initializers;  // values of inputs
};

// Makes a network of elements of an ONNX graph. Which axis of an input goes through the timesteps is not said in the
// file: the graph is followed with each axis in turn, the likeliest first, and the first that every operator agrees
// with is taken. INVALID_ARGUMENT names the node that is not supported, and what would be.
absl::StatusOr<ElementGraph> ReadOnnxNetwork(const OnnxModel& model, const OnnxOptions& options);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_ONNX_NETWORK_H_
