#ifndef RONDO_MODEL_CONVERT_ONNX_INPUT_PLANS_H_
#define RONDO_MODEL_CONVERT_ONNX_INPUT_PLANS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "model/convert/onnx/graph_run.h"
#include "model/convert/onnx/input_axes.h"
#include "model/convert/onnx/onnx_graph.h"
#include "model/convert/onnx/onnx_network.h"

namespace rondo::convert {

// The sizes of open dimensions that a graph is followed with.
struct ProbeSizes {
  // Of graphs that take any number of sequences: more than one, or an axis of sequences would pass for one of a single
  // timestep.
  int64_t batch = 2;
  int64_t timesteps = 13;  // of a graph that takes sequences of any length
};

// What the options call an open dimension of an input: its name, or where it has none INPUT.AXIS.
std::string NameOf(const OnnxValue& input, size_t axis);

// What the inputs of a graph are, given the axes of the first that is data.
class InputPlans {
 public:
  // Borrows all. `states`: the inputs that are states, by now.
  InputPlans(const OnnxGraph& graph, const OnnxOptions& options, const std::map<std::string, std::string>& states)
      : graph_(graph), options_(options), states_(states) {}

  // The first input that is data. Null: there is none.
  const OnnxValue* FirstData() const;
  // A plan without open sizes. INVALID_ARGUMENT: a dimension that is neither time nor batch is open, or two inputs
  // differ in their timesteps.
  absl::StatusOr<RunPlan> PlanOf(const OnnxValue& first, const InputAxes& axes, const ProbeSizes& sizes) const;
  // The first open dimension of an input that holds the sequences of a batch. Null: there is none.
  const OnnxDimension* OpenBatch(const OnnxValue& first, const InputAxes& axes) const;
  // Says which numbers of a timestep are those of which input. Empty: there is one input.
  std::string TextOfData(const InputAxes& axes) const;

 private:
  bool IsData(const OnnxValue& input) const;
  InputAxes OwnAxes(const OnnxValue& input, const OnnxValue& first, const InputAxes& axes) const;
  absl::StatusOr<std::vector<int64_t>> ShapeOf(const OnnxValue& input, const InputAxes& own, int64_t timesteps,
                                               int64_t batch) const;

  const OnnxGraph& graph_;
  const OnnxOptions& options_;
  const std::map<std::string, std::string>& states_;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_INPUT_PLANS_H_
