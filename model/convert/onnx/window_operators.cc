// Convolutions and pools along one axis: of the timesteps, or of a timestep's frame.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"
#include "model/convert/onnx/plane.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

// A convolution along the timesteps.
void ConvAlongTime(OperatorCall& call, const Traced& in, AxisRoles roles, Array weight, Array bias, Window window) {
  const int64_t span = (window.kernel - 1) * window.dilation + 1;
  const int64_t left = window.left + roles.pad_before, right = window.right + roles.pad_after;
  const int64_t steps = roles.times + left + right - span + 1;
  if (window.stride != 1)
    return call.Refuse(absl::StrCat("strides by ", window.stride, " over timesteps; 1 is supported"));
  if (steps < 1 || left >= span) {
    return call.Refuse(
        absl::StrCat("goes ", span, " timesteps back over a sequence of ", roles.times, " with ", left, " before it"));
  }
  // Without padding the first answer is there when the window is full; else the padding says how far it looks ahead.
  const bool unpadded = left == 0 && right == 0;
  if (!unpadded && roles.first_time > 0) {
    return call.Refuse(absl::StrCat("pads a sequence that begins at timestep ", roles.first_time,
                                    " (after a slice, or a convolution without padding)"));
  }
  const int64_t ahead = unpadded ? 0 : span - 1 - left;
  roles.first_time += unpadded ? span - 1 : 0;
  roles.frame_axes = {1};
  Traced start = in;
  const Value value = call.tracer().FrameOf(call.named(), start, [&] {
    AxisRoles one = roles;
    one.first_time -= unpadded ? span - 1 : 0;
    return one;
  }());
  Sizes shape = {in.shape[0], weight.shape[0], steps};
  const Value out =
      AddCausalConv(call.graph(), call.element_name(), value, std::move(weight), std::move(bias), window, ahead);
  roles.times = steps;
  call.GiveValue(out, shape, roles);
}

void RunConv(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  auto weight = call.ConstantInput(1, "weights");
  auto bias = call.ConstantInput(2, "bias");
  if (!call.ok()) return;
  if (in.constant() || in.rank() != weight->rank() || (in.rank() != 3 && in.rank() != 4)) {
    return call.Refuse(absl::StrCat("is a convolution of ", ShapeText(in.shape), " by ", ShapeText(weight->shape),
                                    "; [batch, channels, length] by [out, in, kernel], or one axis more of each, is "
                                    "supported"));
  }
  const Sizes own(weight->shape.begin() + 2, weight->shape.end());
  if (call.Wholes("kernel_shape").value_or(own) != own) return call.Refuse("has another kernel_shape than its weights");
  if (in.rank() == 4) return ConvolvePlane(call, in, *weight, *bias);
  const auto windows = ReadWindows(call, own, {in.shape[2]});
  const auto probe = call.tracer().Roles(call.named(), in, {1}, true);
  if (!windows.has_value() || !probe.has_value()) return;
  const Window& window = windows->front();
  if (probe->time_axis == 2) return ConvAlongTime(call, in, *probe, *std::move(weight), *std::move(bias), window);
  const auto roles = call.tracer().Roles(call.named(), in, {1, 2});
  if (!roles.has_value()) return;
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  const Value frame = AddReshape(call.graph(), call.Part("frame"), value, {in.shape[1], in.shape[2]});
  const Value out = AddConv(call.graph(), call.element_name(), frame, *std::move(weight), *std::move(bias), window);
  Sizes shape = in.shape;
  shape[1] = out.frame.channels;
  shape[2] = out.frame.length;
  call.GiveValue(out, shape, *roles);
}

void RunConvTranspose(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto weight = call.ConstantInput(1, "weights");
  auto bias = call.ConstantInput(2, "bias");
  if (!call.ok()) return;
  if (in.constant() || in.rank() != weight->rank() || (in.rank() != 3 && in.rank() != 4) || weight->empty())
    return call.Refuse("is a transposed convolution of other than three or four axes");
  const Sizes own(weight->shape.begin() + 2, weight->shape.end());
  if (call.Wholes("kernel_shape").value_or(own) != own) return call.Refuse("has another kernel_shape than its weights");
  TransposedConvolvePlane(call, in, *weight, *std::move(bias));
}

void Pool(OperatorCall& call, absl::string_view type) {
  const Traced& in = call.Needed(0);
  const Sizes kernel = call.Wholes("kernel_shape").value_or(Sizes{});
  if (!call.ok()) return;
  if (call.Whole("ceil_mode", 0) != 0) return call.Refuse("has ceil_mode=1; 0 is supported");
  if (!in.constant() && in.rank() == 4) return PoolPlane(call, in, type);
  if (in.constant() || in.rank() != 3 || kernel.size() != 1)
    return call.Refuse("pools another shape than [batch, channels, length]");
  const auto windows = ReadWindows(call, kernel, {in.shape[2]});
  const auto roles = call.tracer().Roles(call.named(), in, {1, 2});
  if (!windows.has_value() || !roles.has_value()) return;
  const Window& window = windows->front();
  if (window.dilation != 1) return call.Refuse("has dilations; none are supported");
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  const Value frame = AddReshape(call.graph(), call.Part("frame"), value, {in.shape[1], in.shape[2]});
  const Value out =
      AddPool(call.graph(), call.element_name(), type, frame, window, call.Whole("count_include_pad", 0) != 0);
  Sizes shape = in.shape;
  shape[2] = out.frame.length;
  call.GiveValue(out, shape, *roles);
}
void RunMaxPool(OperatorCall& call) { Pool(call, "max_pool"); }
void RunAveragePool(OperatorCall& call) { Pool(call, "average_pool"); }

}  // namespace

const Operators& WindowOperators() {
  static const auto& operators = *new Operators{
      {"AveragePool", RunAveragePool},
      {"Conv", RunConv},
      {"ConvTranspose", RunConvTranspose},
      {"MaxPool", RunMaxPool},
  };
  return operators;
}

}  // namespace rondo::convert
