#include "model/convert/graph/layer_checks.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace rondo::convert {

bool Fits(ElementGraph* graph, absl::string_view name, absl::string_view slot, const Array& array,
          const std::vector<int64_t>& wanted, bool optional) {
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

void SetWindow(Element* element, const Window& window, bool of_pool) {
  element->attributes["kernel"] = window.kernel;
  if (of_pool || window.stride != 1) element->attributes["stride"] = window.stride;
  if (window.dilation != 1) element->attributes["dilation"] = window.dilation;
  if (window.groups != 1) element->attributes["groups"] = window.groups;
  if (window.left != 0 || window.right != 0) element->attributes["padding"] = {window.left, window.right};
}

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

}  // namespace rondo::convert
