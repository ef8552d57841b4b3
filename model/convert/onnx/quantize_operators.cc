// Numbers kept as small whole numbers: they become floats again.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

// The place of the scale for each number of a tensor: one for all, or one along an axis.
double AlongAxis(const Array& array, const Sizes& place, int64_t axis) {
  return array.size() == 1 ? array.values[0] : array.values[place[axis]];
}

// Data that the graph reads or looks up as whole numbers becomes floats.
void DequantizeData(OperatorCall& call, const Traced& in, const Array& scale, const Array& zero) {
  if (scale.size() != 1 || zero.size() > 1)
    return call.Refuse("has several scales for whole numbers of the data; one scale is supported");
  const auto roles = call.tracer().Roles(call.named(), in);
  if (!roles.has_value()) return;
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  if (!call.ok()) return;
  const double factor = scale.values[0], shift = zero.empty() ? 0 : -zero.values[0] * factor;
  const int64_t channels = value.frame.channels;
  call.GiveValue(
      AddScale(call.graph(), call.element_name(), value, Filled({channels}, factor), Filled({channels}, shift)),
      in.shape, *roles);
}

bool IsOfWholes(OperatorCall& call, const Ref& ref) { return call.run().wholes.count(ref.source) > 0; }

// What was kept as small whole numbers becomes floats; the rounding of data on the way is left out.
void RunDequantize(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto scale = call.ConstantInput(1, "scale"), zero = call.ConstantInput(2, "zero point");
  if (!call.ok()) return;
  if (!in.constant()) {
    const auto whole = [&](const Ref& ref) { return IsOfWholes(call, ref); };
    if (std::none_of(in.refs.begin(), in.refs.end(), whole)) return call.Give(in);
    if (std::all_of(in.refs.begin(), in.refs.end(), whole)) return DequantizeData(call, in, *scale, *zero);
    return call.Refuse("reads whole numbers beside floats");
  }
  const int64_t axis = scale->size() == 1 ? 0 : call.Axis(call.Whole("axis", 1), in.rank());
  if (!call.ok()) return;
  const bool fits = scale->size() == 1 || scale->size() == in.shape[axis];
  if (!fits || (!zero->empty() && zero->size() != scale->size())) return call.Refuse("has scales of another shape");
  Traced out = in;
  int64_t i = 0;
  ForEachPlace(in.shape, [&](const Sizes& place) {
    const double shift = zero->empty() ? 0 : AlongAxis(*zero, place, axis);
    out.constants[i] = (out.constants[i] - shift) * AlongAxis(*scale, place, axis);
    ++i;
  });
  call.Give(std::move(out));
}

void RunQuantize(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  if (in.constant()) return call.Refuse("quantizes a constant; one that is quantized already is supported");
  call.graph()->Note("the data is not rounded to 8 bits on its way, as the quantized graph did");
  if (std::none_of(in.refs.begin(), in.refs.end(), [&](const Ref& ref) { return IsOfWholes(call, ref); }))
    return call.Give(in);
  // Whole numbers of the data that were cast to floats: what is rounded here stands for these floats.
  const auto roles = call.tracer().Roles(call.named(), in);
  if (!roles.has_value()) return;
  call.GiveValue(call.tracer().FrameOf(call.named(), in, *roles), in.shape, *roles);
}

// Gives the data itself with a scale of 1 and a zero point of 0.
void RunDynamicQuantize(OperatorCall& call) {
  RunQuantize(call);
  call.Give({{}, {1}, {}});
  call.Give({{}, {0}, {}});
}

}  // namespace

const Operators& QuantizeOperators() {
  static const auto& operators = *new Operators{
      {"DequantizeLinear", RunDequantize},
      {"DynamicQuantizeLinear", RunDynamicQuantize},
      {"QuantizeLinear", RunQuantize},
  };
  return operators;
}

}  // namespace rondo::convert
