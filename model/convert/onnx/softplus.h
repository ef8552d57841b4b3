#ifndef RONDO_MODEL_CONVERT_ONNX_SOFTPLUS_H_
#define RONDO_MODEL_CONVERT_ONNX_SOFTPLUS_H_

#include "model/convert/onnx/onnx_graph.h"

namespace rondo::convert {

// PyTorch's exporter writes its Softplus as Where(x > 20, x, Softplus(x)). From 20 on a float32 has no room for the
// difference, so that the node becomes the Softplus alone. With a lower threshold the comparison is left, and refused.
void JoinSoftplus(OnnxGraph* graph);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_SOFTPLUS_H_
