#ifndef RONDO_MODEL_CONVERT_PLAIN_STACK_H_
#define RONDO_MODEL_CONVERT_PLAIN_STACK_H_

#include "model/convert/graph/element_graph.h"
#include "model/model_file.h"

namespace rondo::convert {

// Writes a model of format 1 out as the elements that it means. What the server does beside the network (calendar
// inputs, gaussian and quantile heads) has no elements and is refused.
void BuildPlainStack(const ModelFile& model, ElementGraph* graph);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_PLAIN_STACK_H_
