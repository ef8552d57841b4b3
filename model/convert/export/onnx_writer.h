#ifndef RONDO_MODEL_CONVERT_EXPORT_ONNX_WRITER_H_
#define RONDO_MODEL_CONVERT_EXPORT_ONNX_WRITER_H_

#include <string>

#include "absl/status/statusor.h"
#include "model/convert/graph/element_graph.h"
#include "model/model_spec.h"

namespace rondo::convert {

// Writes a network as an ONNX model of opset 17 that answers what a server answers, from a new session's state on.
// `spec`: what the graph's description says of inputs and outputs.
//
// Input X [timesteps, inputs], as a client sends them, or whole numbers [timesteps] for a token model. A model with a
// calendar takes `times` beside it, whole seconds since 1970 UTC [timesteps]; one whose table has a time zone takes
// `local_times`, the seconds that the zone's clocks show. Output Y [timesteps, outputs], in raw units.
//
// A network with a memory goes timestep by timestep, which a graph without loops can't: it is written as one of one
// timestep a call, with the states as further inputs, zeros at first, and outputs (`state_0_NAME_in` comes back in
// `state_0_NAME_out`).
//
// INVALID_ARGUMENT names an element that ONNX has no operators for.
absl::StatusOr<std::string> WriteOnnx(const ElementGraph& graph, const ModelSpec& spec);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_EXPORT_ONNX_WRITER_H_
