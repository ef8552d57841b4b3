#ifndef RONDO_MODEL_CONVERT_ONNX_GRAPH_RUN_H_
#define RONDO_MODEL_CONVERT_ONNX_GRAPH_RUN_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/convert/onnx/input_axes.h"
#include "model/convert/onnx/onnx_graph.h"
#include "model/convert/onnx/onnx_network.h"
#include "model/convert/onnx/operator.h"
#include "model/convert/onnx/tracer.h"

namespace rondo::convert {

// What one attempt at a graph takes for granted.
struct RunPlan {
  int64_t timesteps = 1;
  std::map<std::string, InputAxes> axes;               // of each input that is data
  std::map<std::string, std::vector<int64_t>> shapes;  // of every input, without open sizes
  std::map<std::string, std::string> states;           // input to output
};

// Follows an ONNX graph once, under one plan. The outcome is the graph's status.
class GraphRun {
 public:
  GraphRun(const OnnxModel& model, const OnnxOptions& options, const RunPlan& plan, ElementGraph* graph);

  // Runs all nodes, pairs the states and sets the output.
  void Run();
  // Inputs that turned out to be states: they are none of the data, and the graph is to be followed anew.
  const std::set<std::string>& found_states() const { return found_states_; }
  const std::vector<Decision>& decisions() const { return run_.decisions; }
  size_t nodes_run() const { return nodes_run_; }  // how far the graph could be followed

 private:
  void AddInputs();
  void AddData(const OnnxValue& input, int64_t offset, const Value& whole);
  void AddState(const OnnxValue& input);
  void RunNodes(const OnnxGraph& graph, int depth);
  void RunNode(const OnnxNode& node, int depth);
  void RunBranch(const OnnxNode& node, int depth);
  bool HasAllOutputs() const;
  void CheckDomain(const OnnxNode& node);
  const Traced* Find(const std::string& name) const;
  void FindStates();
  void SetOutput();
  Value OutputValue(const std::string& name, const Traced& output);

  const OnnxModel& model_;
  const OnnxOptions& options_;
  const RunPlan& plan_;
  ElementGraph& graph_;
  Tracer tracer_;
  RunState run_;
  std::map<std::string, Traced> tensors_;
  std::map<std::string, int32_t> state_sources_;
  std::set<std::string> found_states_, state_outputs_;
  size_t nodes_run_ = 0;
  int64_t held_ = 0, most_held_;  // numbers that are followed
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_GRAPH_RUN_H_
