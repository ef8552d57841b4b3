// Arithmetic, functions, and elements that only move numbers.

#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/graph/layer_checks.h"
#include "model/convert/graph/layers.h"

namespace rondo::convert {

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

}  // namespace rondo::convert
