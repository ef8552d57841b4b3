#ifndef RONDO_MODEL_CONVERT_ONNX_OPERATOR_H_
#define RONDO_MODEL_CONVERT_ONNX_OPERATOR_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/convert/graph/layers.h"
#include "model/convert/onnx/onnx_graph.h"
#include "model/convert/onnx/tracer.h"

namespace rondo::convert {

// A state that the graph takes as an input: a cell starts from it.
struct CellState {
  int32_t cell = 0;       // the source whose refs are the next state
  int64_t next_time = 0;  // when the next state is there
  int64_t index = 0;
};

// Numbers that an operator loses something of: a comparison, a remainder, a bound. Where they follow from sizes that
// the graph leaves open, the outcome holds for the sizes that were tried and perhaps for no others.
struct Decision {
  std::string node;
  std::vector<double> numbers;
};

// What the run of a graph knows beside its tensors.
struct RunState {
  std::vector<Decision> decisions;
  std::map<int32_t, std::string> inputs;                         // sources of float inputs, by input name
  std::map<std::pair<int32_t, int64_t>, CellState> cell_states;  // by source and index of a state's number
  std::set<int32_t> wholes;           // sources of whole numbers, which DequantizeLinear makes floats of
  std::map<int32_t, int32_t> tokens;  // sources of whole numbers that were made of an input, and the input's own
  bool hands_states_on = false;       // by a graph of one timestep: a cell that is given none begins anew at each call
};

// One node that is being followed: its inputs, and the outputs that the operator makes.
class OperatorCall {
 public:
  OperatorCall(const OnnxNode& node, std::vector<const Traced*> inputs, int64_t opset, Tracer* tracer, RunState* run)
      : node_(node), inputs_(std::move(inputs)), opset_(opset), tracer_(*tracer), run_(*run) {}

  const OnnxNode& node() const { return node_; }
  std::string named() const { return node_.Described(); }
  absl::string_view element_name() const { return node_.name.empty() ? node_.outputs[0] : node_.name; }
  std::string Part(absl::string_view part) const;  // the name of an element beside that of the node's own name
  int64_t opset() const { return opset_; }
  Tracer& tracer() { return tracer_; }
  RunState& run() { return run_; }
  ElementGraph* graph() { return &tracer_.graph(); }

  // Null: the node leaves the input out.
  const Traced* Input(size_t i) const { return i < inputs_.size() ? inputs_[i] : nullptr; }
  size_t input_count() const { return inputs_.size(); }
  // An input that must be there, and one that must be constant. After a refusal: an empty tensor.
  const Traced& Needed(size_t i);
  const Traced& NeededConstant(size_t i, absl::string_view what);
  std::optional<Array> ConstantInput(size_t i, absl::string_view what);  // an absent one: an empty array

  // Null: the node has no such attribute. Each of these notes that the operator knows the attribute.
  const OnnxAttribute* Attribute(const std::string& attribute) const;
  int64_t Whole(const std::string& attribute, int64_t otherwise) const;
  double Number(const std::string& attribute, double otherwise) const;
  std::string Text(const std::string& attribute, absl::string_view otherwise) const;
  std::optional<std::vector<int64_t>> Wholes(const std::string& attribute) const;
  // Whole numbers that are an attribute in old opsets and an input in newer ones.
  std::optional<std::vector<int64_t>> WholesOf(const std::string& attribute, size_t input);
  // The first attribute of the node that the operator did not ask for and that would change its numbers. Empty: none.
  std::string UnknownAttribute() const;
  // An axis of a tensor of `rank`, counted from the front. -1 after a refusal.
  int64_t Axis(int64_t axis, int64_t rank);

  void Refuse(absl::string_view message);
  // Notes that the outcome follows from these numbers, but does not tell them.
  void Decide(std::vector<double> numbers) { run_.decisions.push_back({named(), std::move(numbers)}); }
  // False, and refused: a tensor of this shape would have more than kMaxTraced numbers.
  bool CanHold(const std::vector<int64_t>& shape);
  bool ok() const { return tracer_.graph().status().ok(); }

  void Give(Traced output) { outputs_.push_back(std::move(output)); }
  // Gives what an element makes of a tensor: `shape` with these roles.
  void GiveValue(const Value& value, const std::vector<int64_t>& shape, const AxisRoles& roles);
  std::vector<Traced>& outputs() { return outputs_; }

 private:
  const OnnxNode& node_;
  std::vector<const Traced*> inputs_;
  const int64_t opset_;
  Tracer& tracer_;
  RunState& run_;
  std::vector<Traced> outputs_;
  mutable std::set<std::string> asked_;
  const Traced empty_;
};

using Operator = void (*)(OperatorCall&);
using Operators = std::map<std::string, Operator>;

// The operators, by kind: each in a source of its own.
const Operators& MovingOperators();      // Reshape, Slice, Concat ...: no arithmetic
const Operators& LookupOperators();      // Gather, ScatterND
const Operators& PadOperators();         // Pad
const Operators& ShapeOperators();       // Shape, Expand ...
const Operators& ConstantOperators();    // Constant, comparisons, Where ...
const Operators& ArithmeticOperators();  // of two tensors, number by number
const Operators& FunctionOperators();    // of each number
const Operators& QuantizeOperators();    // DequantizeLinear ...
const Operators& ProductOperators();     // Gemm, MatMul
const Operators& EinsumOperators();      // Einsum
const Operators& WindowOperators();      // convolutions and pools
const Operators& ReduceOperators();      // means, sums and largest values over axes
const Operators& NormOperators();        // norms
const Operators& CellOperators();        // LSTM, GRU, RNN

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_OPERATOR_H_
