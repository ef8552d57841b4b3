#include "model/convert/graph/layers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rondo::convert {
namespace {

constexpr int64_t kMaxUnits = 65536;
constexpr int64_t kMaxWindow = int64_t{1} << 20;

// Refuses a tensor that has not the shape that its element takes. An empty tensor may be left out if `optional`.
bool Fits(ElementGraph* graph, absl::string_view name, absl::string_view slot, const Array& array,
          const std::vector<int64_t>& wanted, bool optional = false) {
  if (!graph->status().ok()) return false;
  if (array.empty() && optional) return true;
  if (array.shape == wanted && array.size() == SizeOf(wanted).value_or(-1)) return true;
  graph->Refuse(
      absl::StrCat("'", name, "': ", slot, " is ", ShapeText(array.shape), "; ", ShapeText(wanted), " was wanted"));
  return false;
}

bool Ready(ElementGraph* graph, absl::string_view name, const Value& in) {
  if (!graph->status().ok()) return false;
  if (in.frame.size() > 0 && in.frame.size() <= kMaxArrayValues) return true;
  graph->Refuse(absl::StrCat("'", name, "' reads a value of no or too many numbers"));
  return false;
}

int64_t FirstDimension(const Array& array) { return array.shape.empty() ? 0 : array.shape[0]; }

Element MakeElement(absl::string_view name, absl::string_view type, const std::vector<Value>& of, Frame frame) {
  Element element;
  element.name = std::string(name);
  element.type = std::string(type);
  for (const Value& value : of) element.of.push_back(value.name);
  element.frame = frame;
  return element;
}

void AddSlot(Element* element, absl::string_view name, Array array) {
  if (!array.empty()) element->slots.emplace_back(std::string(name), std::move(array));
}

void SetActivation(Element* element, const Activation& activation) {
  if (activation != "linear") element->attributes["activation"] = activation;
}

// The bias of an element that has one. It is left out of the element if it is empty.
void AddBias(Element* element, Array bias) {
  if (bias.empty()) element->attributes["bias"] = false;
  AddSlot(element, "bias", std::move(bias));
}

bool WindowFits(ElementGraph* graph, absl::string_view name, const Window& window) {
  for (const int64_t size : {window.kernel, window.stride, window.dilation, window.groups}) {
    if (size >= 1 && size <= kMaxWindow) continue;
    graph->Refuse(absl::StrCat("'", name, "' has a kernel, stride, dilation or group count of ", size, "; 1 to ",
                               kMaxWindow, " was wanted"));
    return false;
  }
  for (const int64_t size : {window.left, window.right}) {
    if (size >= 0 && size <= kMaxWindow) continue;
    graph->Refuse(absl::StrCat("'", name, "' has a padding of ", size, "; 0 to ", kMaxWindow, " was wanted"));
    return false;
  }
  return true;
}

// The length that a window leaves of a frame; 0 after a refusal.
int64_t LengthAfter(ElementGraph* graph, absl::string_view name, const Value& in, const Window& window) {
  if (!Ready(graph, name, in) || !WindowFits(graph, name, window)) return 0;
  const int64_t span = (window.kernel - 1) * window.dilation + 1;
  const int64_t padded = in.frame.length + window.left + window.right;
  if (padded >= span) return (padded - span) / window.stride + 1;
  graph->Refuse(absl::StrCat("'", name, "' needs ", span, " values in a row; its frame has ", padded));
  return 0;
}

void SetWindow(Element* element, const Window& window, bool of_pool) {
  element->attributes["kernel"] = window.kernel;
  if (of_pool || window.stride != 1) element->attributes["stride"] = window.stride;
  if (window.dilation != 1) element->attributes["dilation"] = window.dilation;
  if (window.groups != 1) element->attributes["groups"] = window.groups;
  if (window.left != 0 || window.right != 0) element->attributes["padding"] = {window.left, window.right};
}

// [units, in / groups, kernel] and [units].
bool ConvWeightsFit(ElementGraph* graph, absl::string_view name, int64_t channels, const Array& weight,
                    const Array& bias, const Window& window) {
  if (!WindowFits(graph, name, window)) return false;
  const int64_t units = FirstDimension(weight);
  if (channels % window.groups != 0 || units % window.groups != 0) {
    graph->Refuse(absl::StrCat("'", name, "' has ", window.groups, " groups for ", channels, " channels in and ", units,
                               " out; both must be multiples"));
    return false;
  }
  return Fits(graph, name, "weight", weight, {units, channels / window.groups, window.kernel}) &&
         Fits(graph, name, "bias", bias, {units}, true);
}

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

}  // namespace

Value AddDense(ElementGraph* graph, absl::string_view name, const Value& in, Array weight, Array bias,
               const Activation& activation) {
  if (!Ready(graph, name, in)) return {};
  const int64_t units = FirstDimension(weight);
  if (!Fits(graph, name, "weight", weight, {units, in.frame.size()}) ||
      !Fits(graph, name, "bias", bias, {units}, true)) {
    return {};
  }
  Element element = MakeElement(name, "dense", {in}, {units, 1});
  element.attributes["units"] = units;
  SetActivation(&element, activation);
  AddSlot(&element, "weight", std::move(weight));
  AddBias(&element, std::move(bias));
  return graph->Add(std::move(element));
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

Value AddEmbedding(ElementGraph* graph, absl::string_view name, const Value& in, Array weight) {
  if (!Ready(graph, name, in)) return {};
  const int64_t tokens = FirstDimension(weight), units = weight.rank() == 2 ? weight.shape[1] : 0;
  if (in.name != "input" || graph->tokens() == 0) {
    graph->Refuse(absl::StrCat("'", name, "' is an embedding of something else than the model's input"));
    return {};
  }
  if (!Fits(graph, name, "weight", weight, {tokens, units})) return {};
  Element element = MakeElement(name, "embedding", {in}, {units, 1});
  element.attributes = {{"tokens", tokens}, {"units", units}};
  AddSlot(&element, "weight", std::move(weight));
  return graph->Add(std::move(element));
}

Value AddScale(ElementGraph* graph, absl::string_view name, const Value& in, Array weight, Array bias) {
  if (!Ready(graph, name, in) || !Fits(graph, name, "weight", weight, {in.frame.channels}) ||
      !Fits(graph, name, "bias", bias, {in.frame.channels})) {
    return {};
  }
  Element element = MakeElement(name, "scale", {in}, in.frame);
  AddSlot(&element, "weight", std::move(weight));
  AddSlot(&element, "bias", std::move(bias));
  return graph->Add(std::move(element));
}

Value AddConv(ElementGraph* graph, absl::string_view name, const Value& in, Array weight, Array bias,
              const Window& window, const Activation& activation) {
  const int64_t length = LengthAfter(graph, name, in, window);
  if (length == 0 || !ConvWeightsFit(graph, name, in.frame.channels, weight, bias, window)) return {};
  Element element = MakeElement(name, "conv1d", {in}, {FirstDimension(weight), length});
  element.attributes["channels"] = FirstDimension(weight);
  SetWindow(&element, window, false);
  SetActivation(&element, activation);
  AddSlot(&element, "weight", std::move(weight));
  AddBias(&element, std::move(bias));
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

Value AddPool(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in,
              const Window& window, bool count_padding) {
  const int64_t length = LengthAfter(graph, name, in, window);
  if (length == 0) return {};
  Element element = MakeElement(name, type, {in}, {in.frame.channels, length});
  SetWindow(&element, window, true);
  if (count_padding && (window.left != 0 || window.right != 0)) element.attributes["count_padding"] = true;
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

Value AddReduction(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in) {
  if (!Ready(graph, name, in)) return {};
  return graph->Add(MakeElement(name, type, {in}, {in.frame.channels, 1}));
}

Value AddPad(ElementGraph* graph, absl::string_view name, const Value& in, int64_t left, int64_t right,
             absl::string_view mode) {
  if (!Ready(graph, name, in) || !WindowFits(graph, name, {1, 1, 1, 1, left, right})) return {};
  if (mode == "reflect" && (left >= in.frame.length || right >= in.frame.length)) {
    graph->Refuse(absl::StrCat("'", name, "' reflects ", std::max(left, right), " of ", in.frame.length, " values"));
    return {};
  }
  Element element = MakeElement(name, "pad", {in}, {in.frame.channels, in.frame.length + left + right});
  element.attributes = {{"left", left}, {"right", right}, {"mode", mode}};
  return graph->Add(std::move(element));
}

Value AddLayerNorm(ElementGraph* graph, absl::string_view name, const Value& in, Array weight, Array bias,
                   double epsilon) {
  if (!Ready(graph, name, in)) return {};
  if (bias.empty()) bias = Filled({in.frame.size()}, 0);
  if (!Fits(graph, name, "weight", weight, {in.frame.size()}) || !Fits(graph, name, "bias", bias, {in.frame.size()})) {
    return {};
  }
  Element element = MakeElement(name, "layer_norm", {in}, in.frame);
  element.attributes["epsilon"] = epsilon;
  AddSlot(&element, "weight", std::move(weight));
  AddSlot(&element, "bias", std::move(bias));
  return graph->Add(std::move(element));
}

Value AddL2Norm(ElementGraph* graph, absl::string_view name, const Value& in, double epsilon) {
  if (!Ready(graph, name, in)) return {};
  Element element = MakeElement(name, "l2_norm", {in}, in.frame);
  element.attributes["epsilon"] = epsilon;
  return graph->Add(std::move(element));
}

Value AddArithmetic(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& a,
                    const Value& b) {
  if (!Ready(graph, name, a) || !Ready(graph, name, b)) return {};
  const bool fits = b.frame.size() == a.frame.size() || b.frame.size() == 1 || b.frame.size() == a.frame.channels;
  if (!fits) {
    graph->Refuse(absl::StrCat("'", name, "' combines ", a.frame.size(), " values with ", b.frame.size(),
                               "; as many, one, or one a channel was wanted"));
    return {};
  }
  const bool alike = b.frame.size() == a.frame.size();
  const Value second = alike ? AddReshape(graph, absl::StrCat(name, "_like"), b, a.frame) : b;
  return graph->Add(MakeElement(name, type, {a, second}, a.frame));
}

Value AddConstant(ElementGraph* graph, absl::string_view name, Array value) {
  Element element = MakeElement(name, "constant", {}, {value.size(), 1});
  element.attributes["units"] = value.size();
  value.shape = {value.size()};
  AddSlot(&element, "value", std::move(value));
  return graph->Add(std::move(element));
}

Value AddConcat(ElementGraph* graph, absl::string_view name, const std::vector<Value>& parts, absl::string_view axis) {
  Frame frame{0, axis == "length" ? 0 : 1};
  for (const Value& part : parts) {
    if (!Ready(graph, name, part)) return {};
    if (axis == "length") {
      if (frame.channels != 0 && part.frame.channels != frame.channels) {
        graph->Refuse(absl::StrCat("'", name, "' joins ", frame.channels, " channels and ", part.frame.channels));
        return {};
      }
      frame = {part.frame.channels, frame.length + part.frame.length};
    } else {
      if (frame.channels == 0) frame.length = part.frame.length;
      if (part.frame.length != frame.length) {
        graph->Refuse(absl::StrCat("'", name, "' joins lengths of ", frame.length, " and ", part.frame.length));
        return {};
      }
      frame.channels += part.frame.channels;
    }
  }
  if (parts.size() == 1) return parts[0];
  Element element = MakeElement(name, "concat", parts, frame);
  if (axis == "length") element.attributes["axis"] = axis;
  return graph->Add(std::move(element));
}

Value AddSlice(ElementGraph* graph, absl::string_view name, const Value& in, absl::string_view axis, int64_t from,
               int64_t to, int64_t step) {
  if (!Ready(graph, name, in)) return {};
  Frame frame = in.frame;
  int64_t& size = axis == "length" ? frame.length : frame.channels;
  if (from < 0 || to > size || from >= to || step < 1) {
    graph->Refuse(absl::StrCat("'", name, "' takes ", from, " to ", to, " of ", size, " in steps of ", step));
    return {};
  }
  size = (to - from + step - 1) / step;
  Element element = MakeElement(name, "slice", {in}, frame);
  element.attributes = {{"axis", axis}, {"from", from}, {"to", to}};
  if (step != 1) element.attributes["step"] = step;
  return graph->Add(std::move(element));
}

Value AddReshape(ElementGraph* graph, absl::string_view name, const Value& in, Frame frame) {
  if (!Ready(graph, name, in)) return {};
  if (frame.channels == in.frame.channels && frame.length == in.frame.length) return in;
  if (frame.size() != in.frame.size()) {
    graph->Refuse(absl::StrCat("'", name, "' makes ", frame.size(), " values of ", in.frame.size()));
    return {};
  }
  Element element = MakeElement(name, "reshape", {in}, frame);
  element.attributes = {{"channels", frame.channels}, {"length", frame.length}};
  return graph->Add(std::move(element));
}

Value AddTranspose(ElementGraph* graph, absl::string_view name, const Value& in) {
  if (!Ready(graph, name, in)) return {};
  return graph->Add(MakeElement(name, "transpose", {in}, {in.frame.length, in.frame.channels}));
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

Value AddActivation(ElementGraph* graph, absl::string_view name, const Value& in, const Activation& function) {
  if (!Ready(graph, name, in)) return {};
  if (function == "linear") return in;
  Element element = MakeElement(name, "activation", {in}, in.frame);
  if (function.is_object()) {
    element.attributes = function;
  } else {
    element.attributes["function"] = function;
  }
  return graph->Add(std::move(element));
}

Value AddSequence(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in) {
  if (!Ready(graph, name, in)) return {};
  return graph->Add(MakeElement(name, type, {in}, in.frame));
}

}  // namespace rondo::convert
