#ifndef RONDO_MODEL_CONVERT_ONNX_GELU_H_
#define RONDO_MODEL_CONVERT_ONNX_GELU_H_

#include "model/convert/graph/element_graph.h"

namespace rondo::convert {

// The function that stands for ONNX's Erf until JoinGelus: no element has it.
constexpr char kErf[] = "erf";

// Older exporters write GELU as x / 2 * (1 + erf(x / sqrt(2))), its products in any order: each becomes one activation.
// An erf that is left is refused by its node.
void JoinGelus(ElementGraph* graph);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_GELU_H_
