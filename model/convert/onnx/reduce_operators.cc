// Means, sums and largest values over axes.

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

// Reduces the axes of a timestep's frame that are `reduced`: the last ones, or the first ones.
Value ReduceFrame(OperatorCall& call, const std::string& type, const Sizes& shape, const Sizes& frame_axes,
                  const std::function<bool(int64_t)>& reduced, Value value) {
  int64_t length = 1;
  std::string order;  // of the axes with several numbers: r reduced, k kept; such in a row are one
  for (const int64_t axis : frame_axes) {
    if (shape[axis] == 1) continue;
    const char kind = reduced(axis) ? 'r' : 'k';
    if (kind == 'r') length *= shape[axis];
    if (order.empty() || order.back() != kind) order.push_back(kind);
  }
  if (length == 1) return value;
  if (order.size() > 2) {
    call.Refuse("reduces axes of a timestep that stand between others; the first or the last ones are supported");
    return {};
  }
  if (order == "rk") {  // turned first
    const Value rows = AddReshape(call.graph(), call.Part("rows"), value, {length, value.frame.size() / length});
    value = AddTranspose(call.graph(), call.Part("turned"), rows);
  }
  const Value frame = AddReshape(call.graph(), call.Part("frame"), value, {value.frame.size() / length, length});
  return AddReduction(call.graph(), call.element_name(), type, frame);
}

// The mean, sum or largest over axes: over one timestep's numbers, or over all timesteps.
void Reduce(OperatorCall& call, const std::string& type, Sizes axes, bool keep) {
  const Traced& in = call.Needed(0);
  if (in.constant()) return call.Refuse("reduces a constant");
  for (int64_t& axis : axes) axis = call.Axis(axis, in.rank());
  if (axes.empty()) {
    for (int64_t i = 0; i < in.rank(); ++i) axes.push_back(i);
  }
  if (!call.ok()) return;
  const auto reduced = [&](int64_t axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); };
  Sizes shape = in.shape;
  for (const int64_t axis : axes) shape[axis] = 1;
  const auto roles = call.tracer().Roles(call.named(), in);
  if (!roles.has_value()) return;
  for (const int64_t axis : axes) {
    const bool varies =
        axis == roles->time_axis || std::count(roles->frame_axes.begin(), roles->frame_axes.end(), axis) > 0;
    if (type == "sum" && in.shape[axis] > 1 && !varies)
      return call.Refuse("sums over an axis along which nothing differs");
  }
  AxisRoles out = *roles;
  Value value = call.tracer().FrameOf(call.named(), in, *roles);
  if (roles->time_axis >= 0 && reduced(roles->time_axis)) {
    if (type == "sum") return call.Refuse("sums over the timesteps; their mean and largest are supported");
    if (roles->first_time != 0 || roles->times != roles->timesteps)
      return call.Refuse("reduces a part of the timesteps; all of them is supported");
    value = AddSequence(call.graph(), call.element_name(), absl::StrCat("sequence_", type), value);
    out.time_axis = -1;
    out.first_time = roles->timesteps - 1;
  }
  value = ReduceFrame(call, type, in.shape, roles->frame_axes, reduced, value);
  out.frame_axes.clear();
  for (const int64_t axis : roles->frame_axes) {
    if (!reduced(axis)) out.frame_axes.push_back(axis);
  }
  call.GiveValue(value, shape, out);
  if (keep || !call.ok()) return;
  Sizes dropped;
  for (int64_t axis = 0; axis < in.rank(); ++axis) {
    if (!reduced(axis)) dropped.push_back(shape[axis]);
  }
  call.outputs().back().shape = dropped;
}

void ReduceBy(OperatorCall& call, const std::string& type) {
  const auto axes = call.WholesOf("axes", 1);
  if (call.Whole("noop_with_empty_axes", 0) != 0 && axes.value_or(Sizes{}).empty()) return call.Give(call.Needed(0));
  if (call.ok()) Reduce(call, type, axes.value_or(Sizes{}), call.Whole("keepdims", 1) != 0);
}
// The product of all numbers of a constant, as sizes are multiplied.
void RunReduceProd(OperatorCall& call) {
  const auto axes = call.WholesOf("axes", 1);
  const Traced& in = call.NeededConstant(0, "numbers");
  const bool keep = call.Whole("keepdims", 1) != 0;
  if (!call.ok()) return;
  if (axes.has_value() && static_cast<int64_t>(axes->size()) != in.rank())
    return call.Refuse("multiplies along some axes; along all is supported");
  double product = 1;
  for (const double value : in.constants) product *= value;
  call.Give({Sizes(keep ? in.shape.size() : 0, 1), {product}, {}, in.whole});
}
void RunReduceMean(OperatorCall& call) { ReduceBy(call, "mean"); }
void RunReduceSum(OperatorCall& call) { ReduceBy(call, "sum"); }
void RunReduceMax(OperatorCall& call) { ReduceBy(call, "max"); }
// Over all axes behind the batch and the channels.
void GlobalPool(OperatorCall& call, const std::string& type) {
  Sizes axes;
  for (int64_t axis = 2; axis < call.Needed(0).rank(); ++axis) axes.push_back(axis);
  if (axes.empty()) return call.Refuse("pools over no axis");
  Reduce(call, type, std::move(axes), true);
}
void RunGlobalAveragePool(OperatorCall& call) { GlobalPool(call, "mean"); }
void RunGlobalMaxPool(OperatorCall& call) { GlobalPool(call, "max"); }

// sqrt(sum(x^2)) over axes.
void RunReduceL2(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto axes = call.WholesOf("axes", 1);
  if (!call.ok()) return;
  if (in.constant()) return call.Refuse("reduces a constant");
  const auto roles = call.tracer().Roles(call.named(), in);
  if (!roles.has_value()) return;
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  if (axes.has_value() && axes->size() != 1) return call.Refuse("reduces over several axes; over one is supported");
  if (roles->frame_axes.size() != 1 || (axes.has_value() && call.Axis((*axes)[0], in.rank()) != roles->frame_axes[0])) {
    return call.Refuse("reduces over a part of a timestep's numbers; over all is supported");
  }
  const Value square = AddActivation(call.graph(), call.Part("square"), value, "square");
  const Value row = AddReshape(call.graph(), call.Part("row"), square, {1, square.frame.size()});
  const Value sum = AddReduction(call.graph(), call.Part("sum"), "sum", row);
  const Value root = AddActivation(call.graph(), call.element_name(), sum, "sqrt");
  Sizes shape = in.shape;
  shape[roles->frame_axes[0]] = 1;
  AxisRoles out = *roles;
  out.frame_axes.clear();
  if (call.Whole("keepdims", 1) == 0) {
    shape.erase(shape.begin() + roles->frame_axes[0]);
    if (out.time_axis > roles->frame_axes[0]) --out.time_axis;
  }
  call.GiveValue(root, shape, out);
}

}  // namespace

const Operators& ReduceOperators() {
  static const auto& operators = *new Operators{
      {"GlobalAveragePool", RunGlobalAveragePool},
      {"GlobalMaxPool", RunGlobalMaxPool},
      {"ReduceL2", RunReduceL2},
      {"ReduceMax", RunReduceMax},
      {"ReduceMean", RunReduceMean},
      {"ReduceProd", RunReduceProd},
      {"ReduceSum", RunReduceSum},
  };
  return operators;
}

}  // namespace rondo::convert
