#include "model/convert/graph/layers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/graph/layer_checks.h"

namespace rondo::convert {
namespace {

// The length that a window leaves of a frame; 0 after a refusal.
int64_t LengthAfter(ElementGraph* graph, absl::string_view name, const Value& in, const Window& window) {
  if (!Ready(graph, name, in) || !WindowFits(graph, name, window)) return 0;
  const int64_t span = (window.kernel - 1) * window.dilation + 1;
  const int64_t padded = in.frame.length + window.left + window.right;
  if (padded >= span) return (padded - span) / window.stride + 1;
  graph->Refuse(absl::StrCat("'", name, "' needs ", span, " values in a row; its frame has ", padded));
  return 0;
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

Value AddPool(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in,
              const Window& window, bool count_padding) {
  const int64_t length = LengthAfter(graph, name, in, window);
  if (length == 0) return {};
  Element element = MakeElement(name, type, {in}, {in.frame.channels, length});
  SetWindow(&element, window, true);
  if (count_padding && (window.left != 0 || window.right != 0)) element.attributes["count_padding"] = true;
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

}  // namespace rondo::convert
