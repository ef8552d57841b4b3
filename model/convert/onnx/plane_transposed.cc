// Transposed convolutions: along the frame their outputs are those of an ordinary one, put in between each other.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/plane.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

// The kernel turned round on both axes, with outputs and inputs changed over: what a transposed convolution weighs if
// its stride is 1. `weight`: [in, out / groups, ., .].
Array Turned(const Array& weight, int64_t groups) {
  const int64_t in = weight.shape[0], each = weight.shape[1], places = weight.shape[2] * weight.shape[3];
  const int64_t in_each = in / groups;
  Array turned = Filled({each * groups, in_each, weight.shape[2], weight.shape[3]}, 0);
  for (int64_t c = 0; c < in; ++c) {
    for (int64_t o = 0; o < each; ++o) {
      const int64_t out = c / in_each * each + o;
      for (int64_t k = 0; k < places; ++k) {
        turned.values[(out * in_each + c % in_each) * places + k] =
            weight.values[(c * each + o) * places + places - 1 - k];
      }
    }
  }
  return turned;
}

// The kernel of a stride along the frame: place `stride * q + r` of what comes out is place q of output r * out + o of
// a convolution whose kernel has every stride-th weight. `turned`: as Turned gives it; the groups are written out.
Array Phases(const Array& turned, int64_t groups, int64_t frame_axis, int64_t stride) {
  const int64_t out = turned.shape[0], in_each = turned.shape[1], kernel = turned.shape[frame_axis];
  const int64_t taps = turned.shape[5 - frame_axis], width = (kernel + stride - 1) / stride;
  Sizes shape = {stride * out, in_each * groups, taps, width};
  Array phases = Filled(shape, 0);
  for (int64_t i = 0; i < turned.size(); ++i) {
    const int64_t a = i / turned.shape[3] % turned.shape[2], b = i % turned.shape[3];
    const int64_t tap = frame_axis == 3 ? a : b, place = kernel - 1 - (frame_axis == 3 ? b : a);
    const int64_t o = i / (turned.shape[2] * turned.shape[3] * in_each);
    const int64_t c = o / (out / groups) * in_each + i / (turned.shape[2] * turned.shape[3]) % in_each;
    const int64_t row = place % stride * out + o, m = place / stride;
    phases.values[((row * in_each * groups + c) * taps + tap) * width + width - 1 - m] = turned.values[i];
  }
  return phases;
}

// The convolution of the frame whose outputs are those of the transposed one, a row of them for each place below the
// stride. `turned`: as Turned gives it.
Value SumOfPhases(OperatorCall& call, Plane plane, Array turned, Array bias, const Window& time, const Window& along,
                  int64_t ahead) {
  constexpr int64_t kMaxWeights = int64_t{1} << 24;
  int64_t groups = along.groups;
  if (along.stride > 1) {
    const int64_t width = (turned.shape[plane.frame_axis] + along.stride - 1) / along.stride;
    const Sizes phases = {along.stride, turned.shape[0], turned.shape[1], groups, turned.shape[5 - plane.frame_axis],
                          width};
    if (SizeOf(phases).value_or(kMaxWeights + 1) > kMaxWeights) {
      call.Refuse(absl::StrCat("has a stride of ", along.stride, "; it would be a matrix of more than ", kMaxWeights,
                               " numbers"));
      return {};
    }
    turned = Phases(turned, groups, plane.frame_axis, along.stride);
    plane.frame_axis = 3;
    const std::vector<double> once = bias.values;
    for (int64_t r = 1; r < along.stride; ++r) bias.values.insert(bias.values.end(), once.begin(), once.end());
    bias.shape = {bias.size()};
    groups = 1;
  }
  const int64_t kernel = turned.shape[plane.frame_axis];
  return SumOfTaps(call, plane, turned, bias, time, {kernel, 1, 1, groups, kernel - 1, kernel - 1}, ahead);
}

// [stride * out][length] -> [out][length * stride], then cut to the length that the padding leaves.
Value Interleaved(OperatorCall& call, const Value& phases, int64_t stride, int64_t from, int64_t length) {
  Value value = phases;
  if (stride > 1) {
    const int64_t out = phases.frame.channels / stride;
    value = AddReshape(call.graph(), call.Part("phases"), value, {stride, out * phases.frame.length});
    value = AddTranspose(call.graph(), call.Part("turned"), value);
    value = AddReshape(call.graph(), call.Part("joined"), value, {out, phases.frame.length * stride});
  }
  if (from == 0 && length == value.frame.length) return value;
  return AddSlice(call.graph(), call.Part("cut"), value, "length", from, from + length, 1);
}

// Output paddings along both axes. Nullopt after a refusal.
std::optional<Sizes> OutputPaddings(OperatorCall& call, size_t axes) {
  if (call.Attribute("output_shape") != nullptr) call.Refuse("has output_shape; pads and output_padding are supported");
  if (call.Text("auto_pad", "NOTSET") != "NOTSET") call.Refuse("has auto_pad; pads are supported");
  Sizes paddings = call.Wholes("output_padding").value_or(Sizes(axes, 0));
  if (paddings.size() == 1 && axes == 1) paddings.insert(paddings.begin(), 0);
  constexpr int64_t kMost = int64_t{1} << 20;
  const auto fits = [](int64_t padding) { return padding >= 0 && padding <= kMost; };
  if (paddings.size() != 2 || !fits(paddings[0]) || !fits(paddings[1]))
    call.Refuse("has no output_padding for each axis");
  if (!call.ok()) return std::nullopt;
  return paddings;
}

// The shape of a tensor or of weights of three axes gets an axis of size 1 before the last: one behind it would pass
// for that of the frame where the last one has a size of 1 too.
Sizes WithFourAxes(Sizes shape) {
  if (shape.size() == 3) shape.insert(shape.begin() + 2, 1);
  return shape;
}

// A transposed convolution, and what it is of.
struct Transposed2d {
  Traced in;           // [batch, channels, ., .]
  Array weight, bias;  // [in, out / groups, ., .], [out] or none
  std::vector<Window> windows;
  Sizes more;  // output paddings
};

// Both axes lie in one timestep's frame: each row of it is a channel of its own, and each row that comes out a channel
// too, so that a convolution along the last axis is left. Gives how many rows come out; nullopt after a refusal.
std::optional<int64_t> FoldRows(OperatorCall& call, Transposed2d* given) {
  constexpr int64_t kMaxWeights = int64_t{1} << 22;
  const Window& down = given->windows[0];
  const Array& weight = given->weight;
  const int64_t channels = given->in.shape[1], rows = given->in.shape[2], in_each = channels / down.groups;
  const int64_t out_each = weight.shape[1], out = out_each * down.groups, width = weight.shape[3];
  const int64_t rows_out =
      (rows - 1) * down.stride + (down.kernel - 1) * down.dilation + 1 - down.left - down.right + given->more[0];
  const Sizes shape = {channels * rows, out * rows_out, 1, width};
  if (rows_out < 1 || SizeOf(shape).value_or(kMaxWeights + 1) > kMaxWeights) {
    call.Refuse(absl::StrCat("goes over two axes of ", ShapeText(given->in.shape), " within one timestep; it would be ",
                             "a matrix of more than ", kMaxWeights, " numbers, or of none"));
    return std::nullopt;
  }
  Array banded = Filled(shape, 0);
  for (int64_t i = 0; i < weight.size(); ++i) {
    const int64_t k = i % width, tap = i / width % down.kernel, o = i / (width * down.kernel) % out_each;
    const int64_t channel = i / (width * down.kernel * out_each), to = channel / in_each * out_each + o;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * down.stride + tap * down.dilation - down.left;
      if (at < 0 || at >= rows_out) continue;
      banded.values[((channel * rows + row) * out * rows_out + to * rows_out + at) * width + k] = weight.values[i];
    }
  }
  Array bias;
  for (const double each : given->bias.values) bias.values.insert(bias.values.end(), rows_out, each);
  bias.shape = {bias.size()};
  given->bias = given->bias.empty() ? Array{} : std::move(bias);
  given->weight = std::move(banded);
  given->in.shape = {given->in.shape[0], channels * rows, 1, given->in.shape[3]};
  Window along = given->windows[1];
  along.groups = 1;
  given->windows = {{1, 1, 1, 1, 0, 0}, along};
  given->more = {0, given->more[1]};
  return rows_out;
}

void ConvolveTransposed(OperatorCall& call, Transposed2d given) {
  const Traced& in = given.in;
  auto plane = ReadPlane(call, in);
  if (!plane.has_value()) return;
  Window time = given.windows[plane->time_axis() - 2], along = given.windows[plane->frame_axis - 2];
  if (given.more[plane->time_axis() - 2] != 0) return call.Refuse("has an output_padding along the timesteps");
  if (call.tracer().timesteps() == 1 && time.kernel > 1)
    return call.Refuse("makes several timesteps of one; a kernel of one timestep is supported in a graph of one step");
  if (along.dilation != 1) return call.Refuse("has dilations along the frame");
  const int64_t span = (time.kernel - 1) * time.dilation;
  time.left = span - time.left;  // the kernel is turned round, so that what is cut away is what is not padded
  time.right = span - time.right;
  const auto ahead = MoveAlongTime(call, time, &plane->roles);
  if (!ahead.has_value()) return;
  const int64_t length = (in.shape[plane->frame_axis] - 1) * along.stride + along.kernel;
  const int64_t wanted = length - along.left - along.right + given.more[plane->frame_axis - 2];
  const Value sum =
      SumOfPhases(call, *plane, Turned(given.weight, along.groups), std::move(given.bias), time, along, *ahead);
  if (!call.ok()) return;
  if (wanted < 1 || along.left < 0 || along.left + wanted > sum.frame.length * along.stride)
    return call.Refuse("has more output_padding than its kernel reaches");
  GivePlane(call, *plane, in, Interleaved(call, sum, along.stride, along.left, wanted));
}

}  // namespace

void TransposedConvolvePlane(OperatorCall& call, const Traced& in, const Array& weight, Array bias) {
  const size_t axes = in.shape.size() - 2;
  auto windows =
      ReadWindows(call, {weight.shape.begin() + 2, weight.shape.end()}, {in.shape.begin() + 2, in.shape.end()});
  auto more = OutputPaddings(call, axes);
  if (!windows.has_value() || !more.has_value()) return;
  const int64_t groups = windows->front().groups;
  if (in.shape[1] != weight.shape[0] || weight.shape[0] % groups != 0)
    return call.Refuse("has groups or channels that do not fit");
  if (!bias.empty() && bias.size() != weight.shape[1] * groups)
    return call.Refuse("has a bias for another number of channels");
  if (axes == 1) windows->insert(windows->begin(), {1, 1, 1, groups, 0, 0});
  Transposed2d given = {in, weight, std::move(bias), *std::move(windows), *std::move(more)};
  given.in.shape = WithFourAxes(std::move(given.in.shape));
  given.weight.shape = WithFourAxes(std::move(given.weight.shape));
  const auto passes = [&](size_t axis) { return given.in.shape[2 + axis] == 1 && given.windows[axis].kernel == 1; };
  // Of two axes of one place the last one is taken for the frame's.
  const bool last_passes = passes(1) && given.in.shape[2] != 1;
  const bool both = axes == 2 && !passes(0) && !last_passes && IsWithinFrame(call, in);
  const std::optional<int64_t> rows = both ? FoldRows(call, &given) : 0;
  if (!rows.has_value() || !call.ok()) return;
  ConvolveTransposed(call, std::move(given));
  if (!call.ok()) return;
  Sizes& shape = call.outputs().back().shape;
  if (axes == 1) shape.erase(shape.begin() + 2);
  if (both) shape = {shape[0], shape[1] / *rows, *rows, shape[3]};
}

}  // namespace rondo::convert
