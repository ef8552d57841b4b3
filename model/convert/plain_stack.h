#ifndef RONDO_MODEL_CONVERT_PLAIN_STACK_H_
#define RONDO_MODEL_CONVERT_PLAIN_STACK_H_

#include "model/convert/graph/element_graph.h"
#include "model/model_file.h"

namespace rondo::convert {

// Writes a model of format 1 out as the elements that it means. What the server does beside the network stays in the
// description: units of inputs and outputs, calendar, head, feedback.
void BuildPlainStack(const ModelFile& model, ElementGraph* graph);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_PLAIN_STACK_H_
