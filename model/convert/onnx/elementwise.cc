#include "model/convert/onnx/elementwise.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

bool ChangesAlong(const Traced& tensor, int64_t axis) {
  const int64_t stride = StridesOf(tensor.shape)[axis], size = tensor.shape[axis];
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (!tensor.At(i).Follows(tensor.At(i - i / stride % size * stride), 0)) return true;
  }
  return false;
}

// The roles without the last axes of the frame, along which nothing changes: a value of one number a channel.
AxisRoles Narrowed(const Traced& tensor, AxisRoles roles) {
  while (!roles.frame_axes.empty() && !ChangesAlong(tensor, roles.frame_axes.back())) roles.frame_axes.pop_back();
  return roles;
}

int64_t FrameSize(const Traced& tensor, const AxisRoles& roles) {
  int64_t size = 1;
  for (const int64_t axis : roles.frame_axes) size *= tensor.shape[axis];
  return size;
}

// The operand as a value of the frame that the roles describe: a constant becomes an element.
Value Operand(OperatorCall& call, const Traced& tensor, const AxisRoles& roles) {
  if (!tensor.constant()) return call.tracer().FrameOf(call.named(), tensor, roles);
  const Sizes strides = StridesOf(tensor.shape);
  Sizes frame;
  for (const int64_t axis : roles.frame_axes) frame.push_back(tensor.shape[axis]);
  Array values{{}, {}};
  ForEachPlace(frame, [&](const Sizes& place) {
    int64_t at = 0;
    for (size_t i = 0; i < place.size(); ++i) at += place[i] * strides[roles.frame_axes[i]];
    values.values.push_back(tensor.constants[at]);
  });
  const bool one =
      std::all_of(values.values.begin(), values.values.end(), [&](double v) { return v == values.values[0]; });
  if (one) values.values.resize(1);
  return AddConstant(call.graph(), absl::StrCat(call.element_name(), "_by"), std::move(values));
}

// A constant that is repeated along the timesteps must not differ there.
bool SameAtAllTimes(const Traced& tensor, const AxisRoles& roles) {
  const Sizes strides = StridesOf(tensor.shape);
  for (int64_t i = 0; i < tensor.size(); ++i) {
    int64_t first = i;
    for (int64_t axis = 0; axis < tensor.rank(); ++axis) {
      const bool frame = std::find(roles.frame_axes.begin(), roles.frame_axes.end(), axis) != roles.frame_axes.end();
      if (!frame) first -= i / strides[axis] % tensor.shape[axis] * strides[axis];
    }
    if (tensor.constants[i] != tensor.constants[first]) return false;
  }
  return true;
}

// Did the tensor become this wide along the axis only by being combined?
bool IsWidenedAlong(const Traced& narrow, const Traced& wide, int64_t axis) {
  const int64_t own = axis - (wide.rank() - narrow.rank());
  return wide.shape[axis] > 1 && (own < 0 || narrow.shape[own] == 1);
}

bool Meets(const AxisRoles& a, const AxisRoles& b) {
  return a.time_axis == b.time_axis && a.first_time == b.first_time && a.times == b.times;
}

// The roles of two tensors of one shape that are combined. Nullopt after a refusal.
std::optional<AxisRoles> RolesOfBoth(OperatorCall& call, const Traced& a, const Traced& b) {
  const Traced& data = a.constant() ? b : a;
  auto roles = call.tracer().Roles(call.named(), data);
  if (!roles.has_value()) return std::nullopt;
  const Traced& other = a.constant() ? a : b;
  // Axes that only the other one has, or along which only it changes, are of the frame too; what is left holds the
  // sequences of a batch.
  Sizes frame = roles->frame_axes;
  if (other.constant()) {
    const Traced& narrow = call.Needed(a.constant() ? 1 : 0);
    for (int64_t axis = 0; axis < data.rank(); ++axis) {
      const bool others = IsWidenedAlong(narrow, data, axis) || ChangesAlong(other, axis);
      if (others && axis != roles->time_axis) frame.push_back(axis);
    }
  } else {
    const auto others = call.tracer().Roles(call.named(), other);
    if (!others.has_value()) return std::nullopt;
    if (!Meets(*roles, *others)) {
      call.Refuse("combines the numbers of different timesteps");
      return std::nullopt;
    }
    frame.insert(frame.end(), others->frame_axes.begin(), others->frame_axes.end());
  }
  std::sort(frame.begin(), frame.end());
  frame.erase(std::unique(frame.begin(), frame.end()), frame.end());
  roles->frame_axes = std::move(frame);
  call.tracer().ChooseOrder(data, &*roles);
  if (other.constant() && !SameAtAllTimes(other, *roles)) {
    call.Refuse("combines the data with a constant that differs between timesteps or sequences");
    return std::nullopt;
  }
  return roles;
}

// Numbers of a comparison, a remainder or a division of whole numbers, of which not all is kept. Whether a size is 1 or
// less is left out: a graph asks that to drop an axis, or about sizes that are left to be found (-1).
void DecideByBoth(OperatorCall& call, const Traced& a, const Traced& b) {
  std::vector<double> numbers;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double left = a.constants[i], right = b.constants[i];
    const bool exact = call.node().op == "Div" && std::fmod(left, right) == 0;
    const bool of_one = call.node().op == "Equal" && left != right && std::min(left, right) <= 1;
    const bool logical = call.node().op == "And" || call.node().op == "Or";
    if (!exact && !of_one && !logical) numbers.insert(numbers.end(), {left, right});
  }
  if (!numbers.empty()) call.Decide(std::move(numbers));
}

}  // namespace

void GiveFunction(OperatorCall& call, const Traced& in, const Activation& function) {
  auto roles = call.tracer().Roles(call.named(), in);
  if (!roles.has_value()) return;
  call.tracer().ChooseOrder(in, &*roles);
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  call.GiveValue(AddActivation(call.graph(), call.element_name(), value, function), in.shape, *roles);
}

void Unary(OperatorCall& call, double (*fold)(double), const Activation& function) {
  const Traced& in = call.Needed(0);
  if (!call.ok()) return;
  if (!in.constant()) return GiveFunction(call, in, function);
  Traced out = in;
  if (function == "relu" || function == "abs") call.Decide(out.constants);
  for (double& value : out.constants) value = fold(value);
  call.Give(std::move(out));
}

bool AllAre(const Traced& tensor, double value) {
  return tensor.constant() &&
         std::all_of(tensor.constants.begin(), tensor.constants.end(), [&](double each) { return each == value; });
}

void Binary(OperatorCall& call, double (*combine)(double, double), absl::string_view type) {
  const bool constants = type.empty();
  const Traced &a = constants ? call.NeededConstant(0, "value") : call.Needed(0),
               &b = constants ? call.NeededConstant(1, "value") : call.Needed(1);
  bool fits = false;
  const Sizes shape = BroadcastShape(a.shape, b.shape, &fits);
  if (!fits) call.Refuse(absl::StrCat("combines ", ShapeText(a.shape), " with ", ShapeText(b.shape)));
  if (!call.ok()) return;
  const Traced wide_a = Broadcast(a, shape), wide_b = Broadcast(b, shape);
  if (a.constant() && b.constant()) {
    Traced out = wide_a;
    out.whole = a.whole && b.whole;
    if (constants) DecideByBoth(call, wide_a, wide_b);
    for (size_t i = 0; i < out.constants.size(); ++i) out.constants[i] = combine(out.constants[i], wide_b.constants[i]);
    return call.Give(std::move(out));
  }
  const double neutral = type == "multiply" || type == "divide" ? 1 : 0;
  if (AllAre(wide_b, neutral)) return call.Give(wide_a);
  if (AllAre(wide_a, neutral) && (type == "add" || type == "multiply")) return call.Give(wide_b);
  if (type == "multiply" && (AllAre(wide_a, 0) || AllAre(wide_b, 0))) return call.Give(FromArray(Filled(shape, 0)));
  const auto roles = RolesOfBoth(call, wide_a, wide_b);
  if (!roles.has_value()) return;
  const bool turns = type == "add" || type == "multiply";
  const AxisRoles narrow_b = Narrowed(wide_b, *roles);
  const bool narrows_a = turns && narrow_b.frame_axes == roles->frame_axes;
  Value left = Operand(call, wide_a, narrows_a ? Narrowed(wide_a, *roles) : *roles);
  // One of the two has the whole frame; a constant of one value has not.
  const bool is_whole = left.frame.size() == FrameSize(wide_a, *roles);
  Value right = Operand(call, wide_b, is_whole ? narrow_b : *roles);
  if (left.frame.size() < right.frame.size() && turns) std::swap(left, right);
  if (right.frame.size() > 1 && right.frame.size() < left.frame.size()) {
    left = AddReshape(call.graph(), call.Part("channels"), left,
                      {right.frame.size(), left.frame.size() / right.frame.size()});
  }
  if (left.frame.size() < right.frame.size() && call.ok()) {  // a constant of one value before the data
    const double value = wide_a.constants[0];
    left = AddConstant(call.graph(), absl::StrCat(call.element_name(), "_from"), Filled({right.frame.size()}, value));
  }
  // What was added just before is taken away: float32 would lose the digits in between.
  const Element* const sum = call.graph()->Find(left.name);
  if (type == "subtract" && sum != nullptr && sum->type == "add" && sum->of[1] == right.name)
    return call.GiveValue({sum->of[0], left.frame}, shape, *roles);
  call.GiveValue(AddArithmetic(call.graph(), call.element_name(), type, left, right), shape, *roles);
}

}  // namespace rondo::convert
