// Norms with weights, and of length 1.

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/instance_statistics.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

void RunBatchNormalization(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto weight = call.ConstantInput(1, "scale"), bias = call.ConstantInput(2, "bias"),
             mean = call.ConstantInput(3, "mean"), variance = call.ConstantInput(4, "variance");
  if (!call.ok()) return;
  if (in.constant() || in.rank() < 2) return call.Refuse("normalizes a tensor without channels");
  if (call.Whole("training_mode", 0) != 0) return call.Refuse("has training_mode=1; 0 is supported");
  if (call.Whole("spatial", 1) != 1) return call.Refuse("has spatial=0; 1 is supported");
  const int64_t channels = in.shape[1];
  for (const auto* each : {&weight, &bias, &mean, &variance}) {
    if ((*each)->size() != channels)
      return call.Refuse(absl::StrCat("has statistics for other than ", channels, " channels"));
  }
  const auto roles = call.tracer().Roles(call.named(), in, {1});
  if (!roles.has_value()) return;
  if (roles->frame_axes[0] != 1) return call.Refuse("has channels behind other axes of a timestep");
  Array scale = Filled({channels}, 0), shift = scale;
  const double epsilon = call.Number("epsilon", 1e-5);
  for (int64_t i = 0; i < channels; ++i) {
    scale.values[i] = weight->values[i] / std::sqrt(variance->values[i] + epsilon);
    shift.values[i] = bias->values[i] - mean->values[i] * scale.values[i];
  }
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  const Value frame = AddReshape(call.graph(), call.Part("frame"), value, {channels, value.frame.size() / channels});
  call.GiveValue(AddScale(call.graph(), call.element_name(), frame, std::move(scale), std::move(shift)), in.shape,
                 *roles);
}

// A norm over rows of `width` numbers, of which a timestep's value has several: the value turned, [width][rows].
Value NormOfRows(OperatorCall& call, const Value& value, Array weight, Array bias) {
  ElementGraph* const graph = call.graph();
  const int64_t width = weight.size();
  const Value rows = AddReshape(graph, call.Part("rows"), value, {value.frame.size() / width, width});
  const Value mean = AddReduction(graph, call.Part("mean"), "mean", rows);
  const Value centred = AddArithmetic(graph, call.Part("centred"), "subtract", rows, mean);
  const Value square = AddActivation(graph, call.Part("square"), centred, "square");
  const Value variance = AddReduction(graph, call.Part("variance"), "mean", square);
  const Value epsilon = AddConstant(graph, call.Part("epsilon"), Filled({1}, call.Number("epsilon", 1e-5)));
  const Value sum = AddArithmetic(graph, call.Part("sum"), "add", variance, epsilon);
  const Value deviation = AddActivation(graph, call.Part("deviation"), sum, "sqrt");
  const Value normal = AddArithmetic(graph, call.Part("normal"), "divide", centred, deviation);
  const Value turned = AddTranspose(graph, call.Part("turned"), normal);
  if (bias.empty()) bias = Filled({width}, 0);
  return AddScale(graph, call.element_name(), turned, std::move(weight), std::move(bias));
}

void RunLayerNormalization(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  auto weight = call.ConstantInput(1, "scale"), bias = call.ConstantInput(2, "bias");
  const int64_t axis = call.Axis(call.Whole("axis", -1), in.rank());
  if (!call.ok()) return;
  if (in.constant()) return call.Refuse("is of a constant");
  Sizes frame;
  for (int64_t i = axis; i < in.rank(); ++i) frame.push_back(i);
  auto roles = call.tracer().Roles(call.named(), in, frame);
  if (!roles.has_value()) return;
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  weight->shape = {weight->size()};
  if (!bias->empty()) bias->shape = {bias->size()};
  const int64_t width = SizeOf(absl::MakeConstSpan(in.shape).subspan(axis)).value_or(0);
  if (weight->size() != width)
    return call.Refuse(absl::StrCat("has a scale of ", weight->size(), " numbers for ", width));
  if (value.frame.size() != width) {
    // The axes of the norm are the last of the frame's, and come first in the answer.
    const auto first = std::find(roles->frame_axes.begin(), roles->frame_axes.end(), axis);
    std::rotate(roles->frame_axes.begin(), first, roles->frame_axes.end());
    return call.GiveValue(NormOfRows(call, value, *std::move(weight), *std::move(bias)), in.shape, *roles);
  }
  call.GiveValue(AddLayerNorm(call.graph(), call.element_name(), value, *std::move(weight), *std::move(bias),
                              call.Number("epsilon", 1e-5)),
                 in.shape, *roles);
}

void RunLpNormalization(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const int64_t axis = call.Axis(call.Whole("axis", -1), in.rank());
  if (!call.ok()) return;
  if (in.constant() || call.Whole("p", 2) != 2) return call.Refuse("has p=1; 2 is supported");
  const auto roles = call.tracer().Roles(call.named(), in, {axis});
  if (!roles.has_value()) return;
  if (roles->frame_axes != Sizes{axis}) return call.Refuse("normalizes over a part of a timestep's numbers");
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  call.GiveValue(AddL2Norm(call.graph(), call.element_name(), value, 1e-12), in.shape, *roles);
}

}  // namespace

const Operators& NormOperators() {
  static const auto& operators = *new Operators{
      {"BatchNormalization", RunBatchNormalization},
      {"LayerNormalization", RunLayerNormalization},
      {"LpNormalization", RunLpNormalization},
      {kInstanceStatistics, RunInstanceStatistics},
  };
  return operators;
}

}  // namespace rondo::convert
