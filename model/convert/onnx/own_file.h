#ifndef RONDO_MODEL_CONVERT_ONNX_OWN_FILE_H_
#define RONDO_MODEL_CONVERT_ONNX_OWN_FILE_H_

#include "absl/status/statusor.h"
#include "model/convert/graph/element_graph.h"
#include "model/convert/onnx/onnx_graph.h"

namespace rondo::convert {

// Cuts a graph that was written here down to its network, so that what a server does is said by the description again
// and not by elements. Returns the description; an empty one: the graph is another one, or was changed since, and was
// left as it is. INVALID_ARGUMENT: the description is none.
absl::StatusOr<Json> CutToNetwork(OnnxModel* model);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_OWN_FILE_H_
