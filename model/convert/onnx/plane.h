#ifndef RONDO_MODEL_CONVERT_ONNX_PLANE_H_
#define RONDO_MODEL_CONVERT_ONNX_PLANE_H_

#include <optional>
#include <vector>

#include "model/convert/onnx/operator.h"

namespace rondo::convert {

// The window of a convolution or a pool along each axis that it goes over: kernel_shape, strides, dilations, group,
// pads and auto_pad. `lengths`: of those axes. Nullopt after a refusal.
std::optional<std::vector<Window>> ReadWindows(OperatorCall& call, const std::vector<int64_t>& kernel,
                                               const std::vector<int64_t>& lengths);

// Convolutions and pools of [batch, channels, ., .], where one of the last two axes goes through the timesteps and the
// other one, often of frequencies, lies in a timestep's frame. Each place of the kernel along the timesteps becomes a
// convolution of the frame as it was so many timesteps ago, or will be so many later (delay, causal_conv1d and conv1d),
// and their sum is the answer. What strides over timesteps is refused.

// [batch, channels, ., .] as timesteps of frames.
struct Plane {
  AxisRoles roles;
  int64_t frame_axis = 3;  // 2 or 3; the other one goes through the timesteps
  Value frame;             // [channels][length]

  int64_t time_axis() const { return 5 - frame_axis; }
};

// The tensor as a plane. Nullopt after a refusal.
std::optional<Plane> ReadPlane(OperatorCall& call, const Traced& in);
// The window along the timesteps changes the roles of what comes out. Gives how many timesteps ahead it looks; nullopt
// after a refusal.
std::optional<int64_t> MoveAlongTime(OperatorCall& call, const Window& window, AxisRoles* roles);
// The sum over the places of the kernel along the timesteps; `weight`: [out, in / groups, ., .]. `ahead`: how many
// timesteps later the newest place is.
Value SumOfTaps(OperatorCall& call, const Plane& plane, const Array& weight, const Array& bias, const Window& time,
                const Window& along, int64_t ahead);
// Gives a value of the plane's timesteps as the output; `in`: the tensor that the plane was read of.
void GivePlane(OperatorCall& call, const Plane& plane, const Traced& in, const Value& value);

// Tells whether both of the last two axes lie in one timestep's frame.
bool IsWithinFrame(OperatorCall& call, const Traced& in);
// The convolution of such a tensor, written as one along its last axis.
void ConvolveFrame(OperatorCall& call, const Traced& in, const Array& weight, const Array& bias,
                   const std::vector<Window>& windows);

// `weight`: [out, in / groups, ., .].
void ConvolvePlane(OperatorCall& call, const Traced& in, const Array& weight, const Array& bias);
// A transposed convolution; `weight`: [in, out / groups, ., .]. A tensor of three axes is taken too.
void TransposedConvolvePlane(OperatorCall& call, const Traced& in, const Array& weight, Array bias);
// `type`: max_pool or average_pool, along the frame only.
void PoolPlane(OperatorCall& call, const Traced& in, absl::string_view type);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_PLANE_H_
