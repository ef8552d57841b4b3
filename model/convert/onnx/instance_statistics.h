#ifndef RONDO_MODEL_CONVERT_ONNX_INSTANCE_STATISTICS_H_
#define RONDO_MODEL_CONVERT_ONNX_INSTANCE_STATISTICS_H_

#include "model/convert/onnx/onnx_graph.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {

// The operator that stands for means and deviations of a series so far. ONNX has no name for it.
constexpr char kInstanceStatistics[] = "instance_statistics";

// Makes one node of those that export/ writes for an instance_statistics: running sums over the timesteps, in float64.
void JoinInstanceStatistics(OnnxGraph* graph);

// Inputs: the value [timesteps, numbers, 1], and the epsilon, a constant.
void RunInstanceStatistics(OperatorCall& call);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_INSTANCE_STATISTICS_H_
