// Norms with weights, and of length 1.

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
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

void RunLayerNormalization(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  auto weight = call.ConstantInput(1, "scale"), bias = call.ConstantInput(2, "bias");
  const int64_t axis = call.Axis(call.Whole("axis", -1), in.rank());
  if (!call.ok()) return;
  if (in.constant()) return call.Refuse("is of a constant");
  Sizes frame;
  for (int64_t i = axis; i < in.rank(); ++i) frame.push_back(i);
  const auto roles = call.tracer().Roles(call.named(), in, frame);
  if (!roles.has_value()) return;
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  if (roles->frame_axes != frame)
    return call.Refuse("normalizes over a part of a timestep's numbers; over all is supported");
  weight->shape = {weight->size()};
  if (!bias->empty()) bias->shape = {bias->size()};
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
  };
  return operators;
}

}  // namespace rondo::convert
