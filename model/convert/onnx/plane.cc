#include "model/convert/onnx/plane.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

// The padding that keeps the length, or divides it by the stride.
void PadAutomatically(bool more_before, int64_t length, Window* window) {
  const int64_t out = (length + window->stride - 1) / window->stride;
  const int64_t span = (window->kernel - 1) * window->dilation + 1;
  const int64_t total = std::max<int64_t>(0, (out - 1) * window->stride + span - length);
  window->left = more_before ? total - total / 2 : total / 2;
  window->right = total - window->left;
}

// What one place of the kernel along the timesteps weighs: [out, in / groups, along the frame].
Array TapOf(const Array& weight, int64_t frame_axis, int64_t tap) {
  const int64_t a = weight.shape[2], b = weight.shape[3], outer = weight.shape[0] * weight.shape[1];
  const int64_t count = frame_axis == 3 ? b : a;
  Array result = Filled({weight.shape[0], weight.shape[1], count}, 0);
  for (int64_t i = 0; i < outer; ++i) {
    for (int64_t k = 0; k < count; ++k) {
      result.values[i * count + k] = weight.values[i * a * b + (frame_axis == 3 ? tap * b + k : k * b + tap)];
    }
  }
  return result;
}

// The frame as it will be `ahead` timesteps later, zeros after the last: a convolution of each number by itself.
Value Later(OperatorCall& call, const Value& frame, int64_t ahead) {
  const int64_t size = frame.frame.size();
  Array weight = Filled({size, 1, 2}, 0);
  for (int64_t i = 0; i < size; ++i) weight.values[2 * i + 1] = 1;
  const Value later =
      AddCausalConv(call.graph(), call.Part("later"), frame, std::move(weight), {}, {2, 1, ahead, size, 0, 0}, ahead);
  return AddReshape(call.graph(), call.Part("later_frame"), later, frame.frame);
}

// The frame of `ahead` timesteps later, or where that is below 0, of so many earlier. `next`: the frame of `distance`
// timesteps after that.
Value Moved(OperatorCall& call, const Value& frame, const Value& next, int64_t ahead, int64_t distance) {
  if (ahead > 0) return Later(call, frame, ahead);
  if (ahead == 0) return frame;
  // Zeros stand before the first timestep of the frame itself only, so that no later one can be delayed.
  const bool goes_on = ahead + distance <= 0 && !next.name.empty();
  return goes_on ? AddDelay(call.graph(), call.Part("before"), next, distance)
                 : AddDelay(call.graph(), call.Part("before"), frame, -ahead);
}

}  // namespace

std::optional<Plane> ReadPlane(OperatorCall& call, const Traced& in) {
  const auto probe = call.tracer().Roles(call.named(), in, {1}, true);
  if (!probe.has_value()) return std::nullopt;
  Plane plane;
  const bool along_time = probe->time_axis == 2 || probe->time_axis == 3;
  if (probe->time_axis == 3 || (!along_time && in.shape[2] != 1 && in.shape[3] == 1)) plane.frame_axis = 2;
  if (!along_time && in.shape[plane.time_axis()] != 1) {
    call.Refuse(absl::StrCat("goes over two axes of ", ShapeText(in.shape),
                             ", neither of which is that of the timesteps; one of them is supported"));
    return std::nullopt;
  }
  const auto roles = call.tracer().Roles(call.named(), in, {1, plane.frame_axis}, true);
  if (!roles.has_value()) return std::nullopt;
  plane.roles = *roles;
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  plane.frame = AddReshape(call.graph(), call.Part("frame"), value, {in.shape[1], in.shape[plane.frame_axis]});
  return plane;
}

std::optional<int64_t> MoveAlongTime(OperatorCall& call, const Window& window, AxisRoles* roles) {
  const int64_t span = (window.kernel - 1) * window.dilation + 1;
  const int64_t left = window.left + roles->pad_before, right = window.right + roles->pad_after;
  const int64_t steps = roles->times + left + right - span + 1;
  const bool unpadded = left == 0 && right == 0;
  if (window.stride != 1) {
    call.Refuse(absl::StrCat("strides by ", window.stride, " over timesteps; 1 is supported"));
  } else if (steps < 1 || left >= span) {
    call.Refuse(
        absl::StrCat("goes ", span, " timesteps back over a sequence of ", roles->times, " with ", left, " before it"));
  } else if (!unpadded && roles->first_time > 0) {
    call.Refuse(absl::StrCat("pads a sequence that begins at timestep ", roles->first_time,
                             " (after a slice, or a convolution without padding)"));
  } else if ((right > 0 && roles->times < roles->timesteps) || (left < span - 1 && roles->times > roles->timesteps)) {
    // What stands behind the end of this tensor is no zeros where the sequence goes on.
    call.Refuse(absl::StrCat("pads a sequence of ", roles->times, " timesteps where the data has ", roles->timesteps,
                             " (after a slice, or a convolution that pads by more or less)"));
  }
  if (!call.ok()) return std::nullopt;
  if (unpadded) roles->first_time += span - 1;
  roles->times = steps;
  roles->pad_before = roles->pad_after = 0;
  return unpadded ? 0 : span - 1 - left;
}

Value SumOfTaps(OperatorCall& call, const Plane& plane, const Array& weight, const Array& bias, const Window& time,
                const Window& along, int64_t ahead) {
  Value sum, then;
  for (int64_t tap = time.kernel - 1; tap >= 0; --tap) {
    const bool newest = tap == time.kernel - 1;
    then = Moved(call, plane.frame, then, ahead - (time.kernel - 1 - tap) * time.dilation, time.dilation);
    const Value part = AddConv(call.graph(), newest ? std::string(call.element_name()) : call.Part("past"), then,
                               TapOf(weight, plane.frame_axis, tap), newest ? bias : Array{}, along);
    sum = newest ? part : AddArithmetic(call.graph(), call.Part("sum"), "add", sum, part);
    if (!call.ok()) return {};
  }
  return sum;
}

void GivePlane(OperatorCall& call, const Plane& plane, const Traced& in, const Value& value) {
  Sizes shape = in.shape;
  shape[1] = value.frame.channels;
  shape[plane.frame_axis] = value.frame.length;
  if (plane.roles.time_axis == plane.time_axis()) shape[plane.time_axis()] = plane.roles.times;
  call.GiveValue(value, shape, plane.roles);
}

std::optional<std::vector<Window>> ReadWindows(OperatorCall& call, const Sizes& kernel, const Sizes& lengths) {
  const size_t axes = kernel.size();
  const Sizes ones(axes, 1), strides = call.Wholes("strides").value_or(ones),
                             dilations = call.Wholes("dilations").value_or(ones),
                             pads = call.Wholes("pads").value_or(Sizes(2 * axes, 0));
  const std::string automatic = call.Text("auto_pad", "NOTSET");
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (lengths.size() != axes || strides.size() != axes || dilations.size() != axes || pads.size() != 2 * axes) {
    call.Refuse(absl::StrCat("has no window along ", axes, " axes"));
  } else if (!same && automatic != "NOTSET" && automatic != "VALID") {
    call.Refuse(absl::StrCat("has auto_pad=", automatic));
  }
  const int64_t groups = call.Whole("group", 1);
  std::vector<Window> windows;
  for (size_t i = 0; i < axes && call.ok(); ++i) {
    Window window{kernel[i], strides[i], dilations[i], groups, pads[i], pads[axes + i]};
    constexpr int64_t kMost = int64_t{1} << 20;
    for (const int64_t size : {window.kernel, window.stride, window.dilation, window.groups}) {
      if (size < 1 || size > kMost) call.Refuse(absl::StrCat("has a kernel, stride, dilation or group of ", size));
    }
    for (const int64_t size : {window.left, window.right}) {
      if (size < -kMost || size > kMost) call.Refuse(absl::StrCat("has a padding of ", size));
    }
    if (call.ok() && same) PadAutomatically(automatic == "SAME_LOWER", lengths[i], &window);
    windows.push_back(window);
  }
  if (!call.ok()) return std::nullopt;
  return windows;
}

void ConvolvePlane(OperatorCall& call, const Traced& in, const Array& weight, const Array& bias) {
  const auto windows = ReadWindows(call, {weight.shape[2], weight.shape[3]}, {in.shape[2], in.shape[3]});
  if (!windows.has_value()) return;
  if (IsWithinFrame(call, in)) return ConvolveFrame(call, in, weight, bias, *windows);
  auto plane = ReadPlane(call, in);
  if (!plane.has_value()) return;
  const Window& time = (*windows)[plane->time_axis() - 2];
  const auto ahead = MoveAlongTime(call, time, &plane->roles);
  if (!ahead.has_value()) return;
  const Value sum = SumOfTaps(call, *plane, weight, bias, time, (*windows)[plane->frame_axis - 2], *ahead);
  if (call.ok()) GivePlane(call, *plane, in, sum);
}

void PoolPlane(OperatorCall& call, const Traced& in, absl::string_view type) {
  const Sizes kernel = call.Wholes("kernel_shape").value_or(Sizes{});
  if (kernel.size() != 2) return call.Refuse("has no kernel_shape along two axes");
  const auto windows = ReadWindows(call, kernel, {in.shape[2], in.shape[3]});
  if (!windows.has_value()) return;
  const auto plane = ReadPlane(call, in);
  if (!plane.has_value()) return;
  const Window &time = (*windows)[plane->time_axis() - 2], &along = (*windows)[plane->frame_axis - 2];
  if (time.kernel != 1 || time.stride != 1 || time.left != 0 || time.right != 0 || plane->roles.pad_before != 0 ||
      plane->roles.pad_after != 0) {
    return call.Refuse("pools over timesteps; pools over a timestep's own numbers are supported");
  }
  if (along.dilation != 1) return call.Refuse("has dilations; none are supported");
  GivePlane(
      call, *plane, in,
      AddPool(call.graph(), call.element_name(), type, plane->frame, along, call.Whole("count_include_pad", 0) != 0));
}

}  // namespace rondo::convert
