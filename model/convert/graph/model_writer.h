#ifndef RONDO_MODEL_CONVERT_GRAPH_MODEL_WRITER_H_
#define RONDO_MODEL_CONVERT_GRAPH_MODEL_WRITER_H_

#include <string>

#include "absl/status/status.h"
#include "model/convert/graph/element_graph.h"

namespace rondo::convert {

// Leaves out the elements that the output does not need, and joins an activation with the product before it.
void Simplify(ElementGraph* graph);

// The description of format 2, as a JSON text.
std::string DescriptionJson(const ElementGraph& graph);

// The graph as a table for people: an element a line with its shape, parameters and state, then the notes.
std::string GraphTable(const ElementGraph& graph);

// Writes the model file. INVALID_ARGUMENT: a weight is not finite in float32. Other errors as WriteFileAtomically; on
// error there is no file.
absl::Status WriteModel(const ElementGraph& graph, const std::string& path);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_GRAPH_MODEL_WRITER_H_
