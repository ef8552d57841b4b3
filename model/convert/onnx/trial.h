#ifndef RONDO_MODEL_CONVERT_ONNX_TRIAL_H_
#define RONDO_MODEL_CONVERT_ONNX_TRIAL_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "model/convert/graph/element_graph.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {

// What following a graph gave, with one choice of the sizes that it leaves open.
struct Trial {
  ElementGraph graph;
  std::vector<Decision> decisions;
};

// Tells whether the network is the same with another size of an open dimension, so that no number of it comes from the
// size that was tried. INVALID_ARGUMENT names the node that uses the size as a number, or decides by it; `dimension`
// names the dimension.
absl::Status CheckSizeIsNotUsed(const Trial& trial, const Trial& other, absl::string_view dimension);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_TRIAL_H_
