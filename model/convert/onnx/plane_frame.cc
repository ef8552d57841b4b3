// Convolutions over two axes of one timestep's frame.

#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/plane.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

constexpr int64_t kMaxPlaneWeights = int64_t{1} << 22;

int64_t LengthAfter(const Window& window, int64_t length) {
  const int64_t span = (window.kernel - 1) * window.dilation + 1, padded = length + window.left + window.right;
  return padded < span ? 0 : (padded - span) / window.stride + 1;
}

// [out * rows out][in / groups * rows in][kernel]: each row of the frame is a channel of its own, and each channel that
// comes out reads those rows that the kernel covers.
Array Banded(const Array& weight, const Window& down, int64_t rows, int64_t rows_out) {
  const int64_t out = weight.shape[0], in = weight.shape[1], taps = weight.shape[2], width = weight.shape[3];
  Array banded = Filled({out * rows_out, in * rows, width}, 0);
  for (int64_t i = 0; i < weight.size(); ++i) {
    const int64_t k = i % width, tap = i / width % taps, channel = i / (width * taps) % in;
    const int64_t o = i / (width * taps * in);
    for (int64_t at = 0; at < rows_out; ++at) {
      const int64_t row = at * down.stride - down.left + tap * down.dilation;
      if (row < 0 || row >= rows) continue;
      banded.values[((o * rows_out + at) * in * rows + channel * rows + row) * width + k] = weight.values[i];
    }
  }
  return banded;
}

}  // namespace

bool IsWithinFrame(OperatorCall& call, const Traced& in) {
  if (call.tracer().timesteps() == 1) return true;
  const auto roles = call.tracer().Roles(call.named(), in, {1}, true);
  return roles.has_value() && roles->time_axis != 2 && roles->time_axis != 3;
}

void ConvolveFrame(OperatorCall& call, const Traced& in, const Array& weight, const Array& bias,
                   const std::vector<Window>& windows) {
  const Window& down = windows[0];
  const int64_t rows = in.shape[2], rows_out = LengthAfter(down, rows);
  const Sizes banded = {weight.shape[0], rows_out, weight.shape[1], rows, weight.shape[3]};
  if (rows_out < 1 || SizeOf(banded).value_or(kMaxPlaneWeights + 1) > kMaxPlaneWeights) {
    return call.Refuse(absl::StrCat("is a convolution of ", ShapeText(in.shape), " by ", ShapeText(weight.shape),
                                    " within one timestep; it would be a matrix of more than ", kMaxPlaneWeights,
                                    " numbers, or of none"));
  }
  if (in.shape[1] != weight.shape[1] * down.groups || weight.shape[0] % down.groups != 0)
    return call.Refuse("has weights for another number of channels");
  if (!bias.empty() && bias.size() != weight.shape[0]) return call.Refuse("has a bias for another number of channels");
  const auto roles = call.tracer().Roles(call.named(), in, {1, 2, 3});
  if (!roles.has_value()) return;
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  const Value frame = AddReshape(call.graph(), call.Part("frame"), value, {in.shape[1] * rows, in.shape[3]});
  Array all;
  for (const double each : bias.values) all.values.insert(all.values.end(), rows_out, each);
  all.shape = {all.size()};
  const Value out = AddConv(call.graph(), call.element_name(), frame, Banded(weight, down, rows, rows_out),
                            bias.empty() ? Array{} : std::move(all), windows[1]);
  call.GiveValue(out, {in.shape[0], weight.shape[0], rows_out, out.frame.length}, *roles);
}

}  // namespace rondo::convert
