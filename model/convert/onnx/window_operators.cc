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
void ConvAlongTime(OperatorCall& call, const Traced& in, AxisRoles roles, Array weight, Array bias,
                   const Window& window) {
  roles.frame_axes = {1};
  const AxisRoles before = roles;
  const auto ahead = MoveAlongTime(call, window, &roles);
  if (!ahead.has_value()) return;
  const Value value = call.tracer().FrameOf(call.named(), in, before);
  const Sizes shape = {in.shape[0], weight.shape[0], roles.times};
  call.GiveValue(
      AddCausalConv(call.graph(), call.element_name(), value, std::move(weight), std::move(bias), window, *ahead),
      shape, roles);
}

// How many places at the front of the last axis repeat the first one.
int64_t RepeatsInFront(const Traced& in) {
  const int64_t size = in.shape.back();
  int64_t repeats = size - 1;
  for (int64_t i = 0; i < in.size(); ++i) {
    const int64_t place = i % size;
    if (in.refs[i].constant()) return 0;
    if (!in.refs[i].Follows(in.refs[i - place], 0)) repeats = std::min(repeats, place - 1);
  }
  return repeats;
}

bool IsIdentity(const Array& weight) {
  const int64_t size = weight.shape[0];
  for (int64_t i = 0; i < weight.size(); ++i) {
    if (weight.values[i] != (i / size == i % size ? 1 : 0)) return false;
  }
  return weight.size() == size * size;
}

// A convolution along the timesteps that begins with the first timestep repeated: of the last values less the newest,
// which a lag window has, and of the newest.
void ConvOfRepeatedFirst(OperatorCall& call, const Traced& in, const Array& weight, Array bias, const Window& window,
                         int64_t repeats) {
  const int64_t timesteps = call.tracer().timesteps(), units = weight.shape[0], kernel = weight.shape[2];
  if (in.shape[1] != 1 || repeats != kernel - 1 || window.dilation != 1 || window.stride != 1 || window.left != 0 ||
      window.right != 0 || in.shape[2] != timesteps + repeats) {
    return call.Refuse(absl::StrCat("begins with the first timestep ", repeats,
                                    " times more; one channel, with as many before it as a kernel reaches back, is "
                                    "supported"));
  }
  AxisRoles roles;
  roles.time_axis = 2;
  roles.times = roles.timesteps = timesteps;
  roles.pad_before = repeats;
  roles.frame_axes = {1};
  const Value newest = call.tracer().FrameOf(call.named(), in, roles);
  Value value = AddLagWindowMinusNewest(call.graph(), call.Part("window"), newest, kernel);
  Value level = newest;
  if (!IsIdentity(weight) || !bias.empty()) {
    Array sums = Filled({units, 1}, 0);
    for (int64_t i = 0; i < weight.size(); ++i) sums.values[i / kernel] += weight.values[i];
    value = AddDense(call.graph(), call.Part("shape"), value, Reshaped(weight, {units, kernel}), std::move(bias));
    level = AddDense(call.graph(), call.Part("level"), newest, std::move(sums), {});
  }
  roles.pad_before = 0;
  call.GiveValue(AddArithmetic(call.graph(), call.element_name(), "add", value, level), {in.shape[0], units, timesteps},
                 roles);
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
  const int64_t repeats = probe->time_axis == 2 ? RepeatsInFront(in) : 0;
  if (repeats > 0) return ConvOfRepeatedFirst(call, in, *weight, *std::move(bias), window, repeats);
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

// Over windows of timesteps; what follows has a timestep for each.
void PoolOverTime(OperatorCall& call, absl::string_view type, const Window& window, AxisRoles roles) {
  const Traced& in = call.Needed(0);
  const bool partial = call.Whole("ceil_mode", 0) != 0, counts = call.Whole("count_include_pad", 0) != 0;
  const bool padded = window.left != 0 || window.right != 0;
  const int64_t room = roles.times + window.left + window.right - window.kernel;
  if (roles.first_time != 0 || roles.times != roles.timesteps) {
    return call.Refuse("pools a part of the timesteps; all of them is supported");
  } else if (window.dilation != 1 || (padded && counts)) {
    return call.Refuse("pools timesteps with dilations or counts their padding; neither is supported");
  } else if (partial && (padded || window.kernel != window.stride)) {
    return call.Refuse("has ceil_mode=1 over timesteps, and windows that overlap; 0 is supported");
  } else if (room < 0) {
    return call.Refuse(absl::StrCat("pools ", window.kernel, " timesteps of ", roles.times));
  }
  const Value value = call.tracer().FrameOf(call.named(), in, roles);
  roles.times = roles.timesteps = partial ? (roles.times - 1) / window.stride + 1 : room / window.stride + 1;
  Sizes shape = in.shape;
  shape[2] = roles.times;
  call.GiveValue(
      AddSequencePool(call.graph(), call.element_name(), absl::StrCat("sequence_", type), value, window, partial),
      shape, roles);
}

void Pool(OperatorCall& call, absl::string_view type) {
  const Traced& in = call.Needed(0);
  const Sizes kernel = call.Wholes("kernel_shape").value_or(Sizes{});
  if (!call.ok()) return;
  if (!in.constant() && in.rank() == 3 && kernel.size() == 1) {
    const auto windows = ReadWindows(call, kernel, {in.shape[2]});
    const auto roles = call.tracer().Roles(call.named(), in, {1});
    if (!windows.has_value() || !roles.has_value()) return;
    if (roles->time_axis == 2) return PoolOverTime(call, type, windows->front(), *roles);
  }
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
