// Elements that know other timesteps: cells, convolutions along time, memories, and what is over a whole sequence.

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/graph/layer_checks.h"
#include "model/convert/graph/layers.h"

namespace rondo::convert {
namespace {

constexpr int64_t kMaxUnits = 65536;

int64_t GateCountOf(absl::string_view type) { return type == "lstm" ? 4 : type == "gru" ? 3 : 1; }

bool CellFits(ElementGraph* graph, absl::string_view name, absl::string_view type, int64_t width,
              const CellWeights& weights, int64_t units) {
  const int64_t gates = GateCountOf(type);
  if (units < 1 || units > kMaxUnits) {
    graph->Refuse(absl::StrCat("'", name, "' has ", units, " units; 1 to ", kMaxUnits, " are supported"));
    return false;
  }
  return Fits(graph, name, "weight_ih", weights.weight_ih, {gates * units, width}) &&
         Fits(graph, name, "weight_hh", weights.weight_hh, {gates * units, units}) &&
         Fits(graph, name, "bias_ih", weights.bias_ih, {gates * units}, true) &&
         Fits(graph, name, "bias_hh", weights.bias_hh, {gates * units}, true) &&
         Fits(graph, name, "peephole", weights.peephole, {3 * units}, true) &&
         Fits(graph, name, "initial_h", weights.initial_h, {units}, true) &&
         Fits(graph, name, "initial_c", weights.initial_c, {units}, true);
}

// What one input more is while it closes the gate that lets something new into the state; then it is 0.
constexpr double kClosing = 1e6;

// The weights with those of that input. They are as large as the others of their row, so that weights that are held as
// int8 stay what they are; what they are multiplied by is far beyond what the other inputs can open.
Array WithClosingInput(const Array& weight, absl::string_view type, bool keeps) {
  constexpr double kLeast = 0.01;
  const int64_t width = weight.shape[1], rows = weight.shape[0], units = rows / GateCountOf(type);
  Array wider = Filled({rows, width + 1}, 0);
  for (int64_t row = 0; row < rows; ++row) {
    std::copy_n(weight.values.begin() + row * width, width, wider.values.begin() + row * (width + 1));
    const bool input_gate = type == "lstm" && row < units, update_gate = type == "gru" && row / units == 1;
    if (!input_gate && !update_gate) continue;
    double closes = kLeast;
    for (int64_t i = 0; i < width; ++i) closes = std::max(closes, std::abs(weight.values[row * width + i]));
    wider.values[row * (width + 1) + width] = update_gate && keeps ? closes : -closes;
  }
  return wider;
}

bool ClosesByANumber(const Json& attributes) {
  const auto gate = attributes.find("gate_activation");
  if (gate == attributes.end()) return true;
  const Json function = gate->is_object() ? gate->value("function", Json()) : *gate;
  return function == "sigmoid" || function == "hard_sigmoid";
}

// Tells whether a state of zero is answered by zero.
bool AnswersZeroWithZero(const Json& attributes) {
  const auto output = attributes.find("output_activation");
  if (output == attributes.end()) return true;
  const Json function = output->is_object() ? output->value("function", Json()) : *output;
  if (function == "clip")
    return output->is_object() && output->value("alpha", 0.0) <= 0 && output->value("beta", 1.0) >= 0;
  for (const char* one : {"tanh", "linear", "relu", "leaky_relu", "elu", "selu", "softsign", "swish"}) {
    if (function == one) return true;
  }
  return false;
}

}  // namespace

Value AddLateCell(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in,
                  CellWeights weights, Json attributes, int64_t late) {
  if (type == "rnn" || !weights.initial_h.empty() || !weights.initial_c.empty() || !ClosesByANumber(attributes) ||
      !AnswersZeroWithZero(attributes)) {
    graph->Refuse(absl::StrCat("'", name, "' begins ", late, " timesteps after the sequence, behind a convolution ",
                               "without padding or a slice; LSTM and GRU with sigmoid gates that begin at zero, and ",
                               "answer zero there, are supported"));
  }
  if (!Ready(graph, name, in) || weights.weight_ih.rank() != 2) return {};
  weights.weight_ih = WithClosingInput(weights.weight_ih, type, attributes.value("update", "keep") == "keep");
  const Value closing = AddConstant(graph, absl::StrCat(name, "_closing"), {{1}, {kClosing}});
  const Value begun = AddDelay(graph, absl::StrCat(name, "_begun"), closing, late);
  const Value waits = AddArithmetic(graph, absl::StrCat(name, "_waits"), "subtract", closing, begun);
  const Value flat = AddReshape(graph, absl::StrCat(name, "_flat"), in, {in.frame.size(), 1});
  const Value both = AddConcat(graph, absl::StrCat(name, "_from"), {flat, waits});
  return AddCell(graph, name, type, both, std::move(weights), std::move(attributes));
}

Value AddCell(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in, CellWeights weights,
              Json attributes, CellPath path) {
  if (!Ready(graph, name, in)) return {};
  const int64_t units = weights.weight_hh.rank() == 2 ? weights.weight_hh.shape[1] : 0;
  const bool through_time = path == CellPath::kTimesteps;
  const int64_t width = through_time ? in.frame.size() : in.frame.channels, length = through_time ? 1 : in.frame.length;
  if (!CellFits(graph, name, type, width, weights, units)) return {};
  if (weights.bias_ih.empty() != weights.bias_hh.empty()) {
    Array& missing = weights.bias_ih.empty() ? weights.bias_ih : weights.bias_hh;
    missing = Filled({GateCountOf(type) * units}, 0);
  }
  if (!weights.initial_h.empty() || !weights.initial_c.empty()) {
    attributes["initial_state"] = "given";
    if (weights.initial_h.empty()) weights.initial_h = Filled({units}, 0);
    if (type == "lstm" && weights.initial_c.empty()) weights.initial_c = Filled({units}, 0);
  }
  if (!weights.peephole.empty()) attributes["peepholes"] = true;
  const absl::string_view element_type = through_time               ? type
                                         : path == CellPath::kFrame ? "frame_cell"
                                                                    : "position_cell";
  Element element = MakeElement(name, element_type, {in}, {units, length});
  if (!through_time) element.attributes["cell"] = type;
  element.attributes["units"] = units;
  element.attributes.update(attributes);
  if (path != CellPath::kFrame) element.state_floats = (type == "lstm" ? 2 * units : units) * length;
  AddSlot(&element, "weight_ih", std::move(weights.weight_ih));
  AddSlot(&element, "weight_hh", std::move(weights.weight_hh));
  AddSlot(&element, "bias_ih", std::move(weights.bias_ih));
  AddSlot(&element, "bias_hh", std::move(weights.bias_hh));
  AddSlot(&element, "peephole", std::move(weights.peephole));
  AddSlot(&element, "initial_h", std::move(weights.initial_h));
  AddSlot(&element, "initial_c", std::move(weights.initial_c));
  return graph->Add(std::move(element));
}

Value AddCausalConv(ElementGraph* graph, absl::string_view name, const Value& in, Array weight, Array bias,
                    const Window& window, int64_t ahead, const Activation& activation) {
  if (!Ready(graph, name, in) || !ConvWeightsFit(graph, name, in.frame.size(), weight, bias, window)) return {};
  Element element = MakeElement(name, "causal_conv1d", {in}, {FirstDimension(weight), 1});
  element.attributes["units"] = FirstDimension(weight);
  SetWindow(&element, {window.kernel, 1, window.dilation, window.groups, 0, 0}, false);
  if (ahead > 0) element.attributes["ahead"] = ahead;
  SetActivation(&element, activation);
  element.state_floats = window.kernel == 1 ? 0 : (window.kernel - 1) * window.dilation * in.frame.size() + 1;
  AddSlot(&element, "weight", std::move(weight));
  AddBias(&element, std::move(bias));
  return graph->Add(std::move(element));
}

Value AddSequencePool(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in,
                      const Window& window, bool partial) {
  if (!Ready(graph, name, in) || !WindowFits(graph, name, window)) return {};
  Element element = MakeElement(name, type, {in}, in.frame);
  element.attributes = {{"kernel", window.kernel}, {"stride", window.stride}};
  if (window.left != 0 || window.right != 0) element.attributes["padding"] = {window.left, window.right};
  if (partial) element.attributes["partial"] = true;
  return graph->Add(std::move(element));
}

Value AddDelay(ElementGraph* graph, absl::string_view name, const Value& in, int64_t steps) {
  if (!Ready(graph, name, in)) return {};
  Element element = MakeElement(name, "delay", {in}, in.frame);
  element.attributes["steps"] = steps;
  element.state_floats = steps * in.frame.size() + (steps > 1 ? 1 : 0);
  return graph->Add(std::move(element));
}

Value AddLagWindowMinusNewest(ElementGraph* graph, absl::string_view name, const Value& in, int64_t length) {
  if (!Ready(graph, name, in)) return {};
  if (in.frame.size() != 1) graph->Refuse(absl::StrCat("'", name, "' is a window of ", in.frame.size(), " numbers"));
  Element element = MakeElement(name, "lag_window", {in}, {length, 1});
  element.attributes = {{"length", length}, {"minus_newest", true}};
  element.state_floats = length + 1;
  return graph->Add(std::move(element));
}

Value AddInstanceStatistics(ElementGraph* graph, absl::string_view name, const Value& in, double epsilon) {
  if (!Ready(graph, name, in)) return {};
  Element element = MakeElement(name, "instance_statistics", {in}, {2 * in.frame.size(), 1});
  element.attributes["epsilon"] = epsilon;
  element.state_floats = 1 + element.frame.size();
  return graph->Add(std::move(element));
}

Value AddMemory(ElementGraph* graph, absl::string_view name, int64_t units) {
  if (units < 1 || units > kMaxWindow) graph->Refuse(absl::StrCat("'", name, "' is to remember ", units, " values"));
  Element element = MakeElement(name, "memory", {}, {units, 1});
  element.attributes = {{"units", units}, {"next", ""}};
  element.state_floats = units;
  return graph->Add(std::move(element));
}

void SetNext(ElementGraph* graph, const Value& memory, const Value& next) {
  if (!Ready(graph, memory.name, next)) return;
  // The graph's input is no element, and so becomes one.
  const bool of_input = next.name == "input";
  const Value kept = of_input ? AddActivation(graph, memory.name + "_next", next, {{"function", "linear"}}) : next;
  for (Element& element : graph->elements()) {
    if (element.name != memory.name) continue;
    if (element.frame.size() == next.frame.size()) {
      element.attributes["next"] = kept.name;
    } else {
      graph->Refuse(
          absl::StrCat("'", memory.name, "' remembers ", element.frame.size(), " values of ", next.frame.size()));
    }
  }
}

Value AddSequence(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in) {
  if (!Ready(graph, name, in)) return {};
  return graph->Add(MakeElement(name, type, {in}, in.frame));
}

}  // namespace rondo::convert
