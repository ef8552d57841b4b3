#include "model/convert/onnx/graph_run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/convert/onnx/gelu.h"
#include "model/convert/onnx/state_names.h"
#include "model/convert/onnx/state_pairs.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

constexpr int kMaxGraphDepth = 16;              // of branches inside each other
constexpr int64_t kMaxHeld = int64_t{1} << 24;  // numbers that are followed, beside the constants' own

const Operator* FindOperator(const std::string& op) {
  for (const Operators* operators :
       {&MovingOperators(), &LookupOperators(), &PadOperators(), &ShapeOperators(), &ConstantOperators(),
        &ArithmeticOperators(), &FunctionOperators(), &QuantizeOperators(), &ProductOperators(), &EinsumOperators(),
        &WindowOperators(), &ReduceOperators(), &NormOperators(), &CellOperators()}) {
    if (const auto found = operators->find(op); found != operators->end()) return &found->second;
  }
  return nullptr;
}

}  // namespace

GraphRun::GraphRun(const OnnxModel& model, const OnnxOptions& options, const RunPlan& plan, ElementGraph* graph)
    : model_(model),
      options_(options),
      plan_(plan),
      graph_(*graph),
      tracer_(graph, plan.timesteps),
      most_held_(kMaxHeld) {
  run_.hands_states_on = plan.timesteps == 1 && !plan.states.empty();
}

void GraphRun::Run() {
  for (const auto& [name, array] : model_.graph.initializers) {
    tensors_[name] = FromArray(array);
    most_held_ += 8 * array.size();
  }
  AddInputs();
  RunNodes(model_.graph, 0);
  FindStates();
  for (const auto& [input, source] : state_sources_) {
    if (plan_.timesteps > 1 && !tracer_.ReadOf(source).empty()) {
      graph_.Refuse(absl::StrCat("the state ", Quoted(input), " is read by ", plan_.timesteps,
                                 " timesteps at once; a graph of one timestep, or a state that LSTM, GRU or RNN begin "
                                 "with, is supported"));
    }
  }
  if (!graph_.status().ok() || !found_states_.empty()) return;
  StatePairs pairs(model_.graph, plan_.states, tensors_, state_sources_, run_, &tracer_);
  pairs.Pair();
  state_outputs_ = pairs.outputs();
  SetOutput();
  JoinGelus(&graph_);
}

void GraphRun::AddInputs() {
  int64_t size = 0;
  std::vector<std::pair<const OnnxValue*, int64_t>> data;
  for (const OnnxValue& input : model_.graph.inputs) {
    if (const auto given = options_.initializers.find(input.name); given != options_.initializers.end()) {
      tensors_[input.name] = FromArray(given->second);
    } else if (plan_.states.count(input.name) > 0) {
      AddState(input);
    } else if (plan_.shapes.at(input.name).empty() || IsOfLengths(model_.graph, input, plan_.states)) {
      const bool one = input.shape.empty();
      const int32_t source = tracer_.AddUnreadable(
          absl::StrCat("the input ", Quoted(input.name),
                       one ? ", which is one number for all timesteps" : ", which has the lengths of sequences",
                       "; --initializer gives it a value"));
      const std::vector<int64_t>& shape = plan_.shapes.at(input.name);
      tensors_[input.name] = {shape, {}, std::vector<Ref>(SizeOf(shape).value_or(0), Ref{source, 0, 0, 0}), !one};
    } else {
      const InputAxes& axes = plan_.axes.at(input.name);
      const std::vector<int64_t>& shape = plan_.shapes.at(input.name);
      int64_t width = 1;
      for (int64_t axis = 0; axis < static_cast<int64_t>(shape.size()); ++axis) {
        if (axis != axes.time && axis != axes.batch) width *= shape[axis];
      }
      data.emplace_back(&input, size);
      size += width;
    }
  }
  const Value whole = graph_.SetInput(size);
  for (const auto& [input, offset] : data) AddData(*input, offset, whole);
}

void GraphRun::AddData(const OnnxValue& input, int64_t offset, const Value& whole) {
  const std::vector<int64_t>& shape = plan_.shapes.at(input.name);
  const InputAxes& axes = plan_.axes.at(input.name);
  AxisRoles roles;
  roles.time_axis = axes.time;
  for (int64_t axis = 0; axis < static_cast<int64_t>(shape.size()); ++axis) {
    if (axis != axes.time && axis != axes.batch) roles.frame_axes.push_back(axis);
  }
  const int32_t source = tracer_.AddSource(whole);
  Traced tensor = tracer_.Spread(source, shape, roles);
  for (Ref& ref : tensor.refs) ref.index += offset;
  tensor.whole = input.whole;
  run_.inputs[source] = input.name;
  if (input.whole) run_.wholes.insert(source);
  tensors_[input.name] = std::move(tensor);
}

// The numbers of a state are those of the timestep before; which element gives them is known at the end. Cells keep
// the numbers that they begin with themselves; what other elements read comes out of a memory.
void GraphRun::AddState(const OnnxValue& input) {
  const std::vector<int64_t>& shape = plan_.shapes.at(input.name);
  const int64_t batch = plan_.axes.at(input.name).batch;
  AxisRoles roles;
  int64_t units = 1;
  for (int64_t axis = 0; axis < static_cast<int64_t>(shape.size()); ++axis) {
    if (axis == batch) continue;
    roles.frame_axes.push_back(axis);
    units *= shape[axis];
  }
  const int32_t source = tracer_.AddSource(AddMemory(&graph_, absl::StrCat(input.name, "_memory"), units));
  tracer_.Watch(source);
  run_.inputs[source] = input.name;
  state_sources_[input.name] = source;
  tensors_[input.name] = tracer_.Spread(source, shape, roles);
  if (!input.shape.empty() && SizeOf(shape).value_or(0) == 0)
    graph_.Refuse(absl::StrCat("the state ", Quoted(input.name), " has no numbers"));
}

const Traced* GraphRun::Find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

void GraphRun::RunNodes(const OnnxGraph& graph, int depth) {
  if (depth > kMaxGraphDepth) return graph_.Refuse("branches stand too deep inside each other");
  for (const OnnxNode& node : graph.nodes) {
    if (!graph_.status().ok() || (depth == 0 && HasAllOutputs())) return;
    RunNode(node, depth);
    if (graph_.status().ok()) ++nodes_run_;
  }
}

// All that --head names is there, and so the rest, which may not be supported, is not needed.
bool GraphRun::HasAllOutputs() const {
  return !options_.outputs.empty() && plan_.states.empty() &&
         std::all_of(options_.outputs.begin(), options_.outputs.end(),
                     [&](const std::string& name) { return Find(name) != nullptr; });
}

void GraphRun::CheckDomain(const OnnxNode& node) {
  const bool known = node.domain.empty() || node.domain == "ai.onnx" || node.domain == "com.microsoft";
  if (!known)
    graph_.Refuse(absl::StrCat(node.Described(), " is of the domain ", Quoted(node.domain), "; ai.onnx is supported"));
}

void GraphRun::RunNode(const OnnxNode& node, int depth) {
  CheckDomain(node);
  graph_.SetOrigin(node.Described());
  if (node.op == "If") return RunBranch(node, depth);
  const Operator* op = FindOperator(node.op);
  if (op == nullptr || node.outputs.empty()) {
    const bool loop = node.op == "Loop" || node.op == "Scan";
    const bool chooses = (node.op == "ArgMax" || node.op == "TopK") && !node.inputs.empty();
    return graph_.Refuse(
        absl::StrCat(node.Described(), loop      ? " is a loop of the graph's own; LSTM, GRU and RNN are supported"
                                       : chooses ? absl::StrCat(" chooses the largest; --head=", node.inputs[0],
                                                                " makes what it chooses from the answer")
                                                 : " is an operator that is not supported"));
  }
  std::vector<const Traced*> inputs;
  for (const std::string& name : node.inputs) {
    inputs.push_back(name.empty() ? nullptr : Find(name));
    if (!name.empty() && inputs.back() == nullptr) {
      return graph_.Refuse(
          absl::StrCat(node.Described(), " reads ", Quoted(name),
                       ", which no input, initializer or node before it gives (a cycle, or a missing initializer)"));
    }
  }
  OperatorCall call(node, std::move(inputs), model_.opset, &tracer_, &run_);
  (*op)(call);
  if (const std::string unknown = call.UnknownAttribute(); !unknown.empty()) {
    graph_.Refuse(absl::StrCat(node.Described(), " has the attribute ", Quoted(unknown), ", which is not supported"));
  }
  if (!graph_.status().ok()) return;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].empty()) continue;
    if (i >= call.outputs().size()) {
      return graph_.Refuse(absl::StrCat(node.Described(), " has an output ", i, " that is not supported"));
    }
    held_ += call.outputs()[i].size();
    tensors_[node.outputs[i]] = std::move(call.outputs()[i]);
  }
  if (held_ > most_held_) graph_.Refuse(absl::StrCat(node.Described(), " makes more numbers than are followed"));
}

// The branch that a constant condition chooses.
void GraphRun::RunBranch(const OnnxNode& node, int depth) {
  const Traced* condition = node.inputs.empty() ? nullptr : Find(node.inputs[0]);
  if (condition == nullptr || !condition->constant() || condition->constants.empty()) {
    return graph_.Refuse(
        absl::StrCat(node.Described(), " chooses by the data; a condition that is constant is supported"));
  }
  const auto branch = node.attributes.find(condition->constants[0] != 0 ? "then_branch" : "else_branch");
  if (branch == node.attributes.end() || branch->second.graph == nullptr) {
    return graph_.Refuse(absl::StrCat(node.Described(), " has no such branch"));
  }
  const OnnxGraph& graph = *branch->second.graph;
  for (const auto& [name, array] : graph.initializers) tensors_[name] = FromArray(array);
  RunNodes(graph, depth + 1);
  for (size_t i = 0; i < node.outputs.size() && graph_.status().ok(); ++i) {
    const Traced* given = i < graph.outputs.size() ? Find(graph.outputs[i].name) : nullptr;
    if (given == nullptr) return graph_.Refuse(absl::StrCat(node.Described(), " has a branch without its output ", i));
    tensors_[node.outputs[i]] = *given;
  }
}

// Inputs that a cell begins with are states, though the plan took them for data.
void GraphRun::FindStates() {
  for (const auto& [place, state] : run_.cell_states) {
    const std::string& name = run_.inputs.at(place.first);
    if (plan_.states.count(name) == 0) found_states_.insert(name);
  }
}

Value GraphRun::OutputValue(const std::string& name, const Traced& output) {
  graph_.SetOrigin(absl::StrCat("output ", Quoted(name)));
  if (output.constant()) {
    graph_.Refuse(absl::StrCat("output ", Quoted(name), " is constant"));
    return {};
  }
  const std::string named = absl::StrCat("output ", Quoted(name));
  auto roles = tracer_.Roles(named, output);
  if (!roles.has_value()) return {};
  // What a backward cell ends with is of the first timestep.
  if (roles->time_axis < 0 && roles->first_time == 0) roles->first_time = roles->timesteps - 1;
  const int64_t last = roles->first_time + (roles->time_axis < 0 ? 0 : roles->times - 1);
  if (last != roles->timesteps - 1) {
    graph_.Refuse(absl::StrCat(named, " is of an earlier timestep than the last"));
    return {};
  }
  if (plan_.timesteps > 1 && roles->time_axis < 0) {
    graph_.Note(absl::StrCat(named, " is of the last timestep only; the model gives it at each"));
  } else if (roles->time_axis >= 0 && roles->first_time > 0) {
    // Without a number: the last so many timesteps of a sequence begin elsewhere if it is of another length.
    graph_.Note(absl::StrCat(named, " begins later than the first timestep; the model gives numbers before it too"));
  }
  return tracer_.FrameOf(named, output, *roles);
}

void GraphRun::SetOutput() {
  std::vector<Value> values;
  std::vector<std::string> left_out;
  for (const std::string& name : options_.outputs) {
    const Traced* tensor = Find(name);
    if (tensor == nullptr)
      return graph_.Refuse(absl::StrCat("--head names ", Quoted(name), ", which the graph has not"));
    values.push_back(OutputValue(name, *tensor));
  }
  for (const OnnxValue& output : model_.graph.outputs) {
    if (!graph_.status().ok()) return;
    const Traced* tensor = Find(output.name);
    const bool chosen = values.empty() && state_outputs_.count(output.name) == 0;
    if (std::find(options_.outputs.begin(), options_.outputs.end(), output.name) != options_.outputs.end()) continue;
    if (!chosen || tensor == nullptr) {
      if (state_outputs_.count(output.name) == 0) left_out.push_back(output.name);
      continue;
    }
    values.push_back(OutputValue(output.name, *tensor));
  }
  if (values.empty()) {
    return graph_.Refuse(
        absl::StrCat("there is no output beside the states",
                     left_out.empty() ? "" : absl::StrCat("; the graph has ", absl::StrJoin(left_out, ", "))));
  }
  if (!left_out.empty())
    graph_.Note(absl::StrCat("left out: output ", absl::StrJoin(left_out, ", "), " (--head chooses)"));
  graph_.SetOutput(AddConcat(&graph_, "outputs", values));
}

}  // namespace rondo::convert
