// Operators that compute number by number, and those that only constants go through.

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;
using Combine = double (*)(double, double);

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Constants folded, an element for the rest.
void Unary(OperatorCall& call, double (*fold)(double), const Activation& function) {
  const Traced& in = call.Needed(0);
  if (!call.ok()) return;
  if (in.constant()) {
    Traced out = in;
    if (function == "relu" || function == "abs") call.Decide(out.constants);
    for (double& value : out.constants) value = fold(value);
    return call.Give(std::move(out));
  }
  const auto roles = call.tracer().Roles(call.named(), in);
  if (!roles.has_value()) return;
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  call.GiveValue(AddActivation(call.graph(), call.element_name(), value, function), in.shape, *roles);
}

double NoFold(double x) { return x; }

void RunRelu(OperatorCall& call) {
  Unary(
      call, [](double x) { return std::max(x, 0.0); }, "relu");
}
void RunSigmoid(OperatorCall& call) { Unary(call, Sigmoid, "sigmoid"); }
void RunTanh(OperatorCall& call) {
  Unary(
      call, [](double x) { return std::tanh(x); }, "tanh");
}
void RunExp(OperatorCall& call) {
  Unary(
      call, [](double x) { return std::exp(x); }, "exp");
}
void RunLog(OperatorCall& call) {
  Unary(
      call, [](double x) { return std::log(x); }, "log");
}
void RunSqrt(OperatorCall& call) {
  Unary(
      call, [](double x) { return std::sqrt(x); }, "sqrt");
}
void RunAbs(OperatorCall& call) {
  Unary(
      call, [](double x) { return std::abs(x); }, "abs");
}
void RunNegate(OperatorCall& call) {
  Unary(
      call, [](double x) { return -x; }, "negate");
}
void RunReciprocal(OperatorCall& call) {
  Unary(
      call, [](double x) { return 1 / x; }, "reciprocal");
}

// Functions with parameters; constants do not come through them.
void Parametric(OperatorCall& call, const Activation& function) {
  if (call.Needed(0).constant()) return call.Refuse("is of a constant");
  Unary(call, NoFold, function);
}

void RunLeakyRelu(OperatorCall& call) {
  Parametric(call, {{"function", "leaky_relu"}, {"alpha", call.Number("alpha", 0.01)}});
}
void RunElu(OperatorCall& call) { Parametric(call, {{"function", "elu"}, {"alpha", call.Number("alpha", 1)}}); }
void RunSelu(OperatorCall& call) {
  constexpr double kAlpha = 1.67326319217681884765625, kGamma = 1.05070102214813232421875;
  if (std::abs(call.Number("alpha", kAlpha) - kAlpha) > 1e-6 ||
      std::abs(call.Number("gamma", kGamma) - kGamma) > 1e-6) {
    return call.Refuse("has another alpha or gamma than SELU's");
  }
  Parametric(call, "selu");
}
void RunSoftplus(OperatorCall& call) { Parametric(call, "softplus"); }
void RunSoftsign(OperatorCall& call) { Parametric(call, "softsign"); }
void RunGelu(OperatorCall& call) {
  if (call.Text("approximate", "none") != "none")
    return call.Refuse("is an approximate GELU; the exact one is supported");
  Parametric(call, "gelu");
}
void RunHardSigmoid(OperatorCall& call) {
  Parametric(call,
             {{"function", "hard_sigmoid"}, {"alpha", call.Number("alpha", 0.2)}, {"beta", call.Number("beta", 0.5)}});
}

void RunClip(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto low = call.ConstantInput(1, "least value"), high = call.ConstantInput(2, "largest value");
  if (!call.ok()) return;
  constexpr double kMost = 1e30;  // an element takes no bounds beyond; there they bound nothing
  const double least = std::max(-kMost, low->empty() ? call.Number("min", -kMost) : low->values[0]);
  const double most = std::min(kMost, high->empty() ? call.Number("max", kMost) : high->values[0]);
  if (!in.constant()) {
    if (least == 0 && most >= kMost) return Unary(call, NoFold, "relu");
    return Unary(call, NoFold, {{"function", "clip"}, {"alpha", least}, {"beta", most}});
  }
  Traced out = in;
  call.Decide(out.constants);
  for (double& value : out.constants) value = std::min(std::max(value, least), most);
  call.Give(std::move(out));
}

void Softmax(OperatorCall& call, absl::string_view function) {
  const Traced& in = call.Needed(0);
  const int64_t axis = call.Axis(call.Whole("axis", call.opset() < 13 ? 1 : -1), in.rank());
  if (!call.ok()) return;
  if (in.constant()) return call.Refuse("is of a constant");
  const auto roles = call.tracer().Roles(call.named(), in, {axis});
  if (!roles.has_value()) return;
  int64_t wide = 0;
  for (const int64_t each : roles->frame_axes) wide += in.shape[each] > 1 ? 1 : 0;
  if (wide > 1)
    return call.Refuse("is over one of several axes of a timestep's numbers; over the only one is supported");
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  call.GiveValue(AddActivation(call.graph(), call.element_name(), value, std::string(function)), in.shape, *roles);
}
void RunSoftmax(OperatorCall& call) { Softmax(call, "softmax"); }
void RunLogSoftmax(OperatorCall& call) { Softmax(call, "log_softmax"); }

bool AllAre(const Traced& tensor, double value) {
  return tensor.constant() &&
         std::all_of(tensor.constants.begin(), tensor.constants.end(), [&](double each) { return each == value; });
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

bool ChangesAlong(const Traced& constant, int64_t axis) {
  const int64_t stride = StridesOf(constant.shape)[axis], size = constant.shape[axis];
  for (int64_t i = 0; i < constant.size(); ++i) {
    if (constant.constants[i] != constant.constants[i - i / stride % size * stride]) return true;
  }
  return false;
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

void Binary(OperatorCall& call, Combine combine, absl::string_view type) {
  const Traced &a = call.Needed(0), &b = call.Needed(1);
  bool fits = false;
  const Sizes shape = BroadcastShape(a.shape, b.shape, &fits);
  if (!fits) call.Refuse(absl::StrCat("combines ", ShapeText(a.shape), " with ", ShapeText(b.shape)));
  if (!call.ok()) return;
  const Traced wide_a = Broadcast(a, shape), wide_b = Broadcast(b, shape);
  if (a.constant() && b.constant()) {
    Traced out = wide_a;
    out.whole = a.whole && b.whole;
    if (type.empty()) DecideByBoth(call, wide_a, wide_b);
    for (size_t i = 0; i < out.constants.size(); ++i) out.constants[i] = combine(out.constants[i], wide_b.constants[i]);
    return call.Give(std::move(out));
  }
  const double neutral = type == "multiply" || type == "divide" ? 1 : 0;
  if (AllAre(wide_b, neutral)) return call.Give(wide_a);
  if (AllAre(wide_a, neutral) && (type == "add" || type == "multiply")) return call.Give(wide_b);
  if (type == "multiply" && (AllAre(wide_a, 0) || AllAre(wide_b, 0))) return call.Give(FromArray(Filled(shape, 0)));
  const auto roles = RolesOfBoth(call, wide_a, wide_b);
  if (!roles.has_value()) return;
  Value left = Operand(call, wide_a, *roles), right = Operand(call, wide_b, *roles);
  if (left.frame.size() < right.frame.size() && (type == "add" || type == "multiply")) std::swap(left, right);
  if (left.frame.size() < right.frame.size() && call.ok()) {  // a constant of one value before the data
    const double value = wide_a.constants[0];
    left = AddConstant(call.graph(), absl::StrCat(call.element_name(), "_from"), Filled({right.frame.size()}, value));
  }
  call.GiveValue(AddArithmetic(call.graph(), call.element_name(), type, left, right), shape, *roles);
}

// Truth values and whole numbers are of shapes and branches, so that only constants come here.
void OfConstants(OperatorCall& call, Combine combine) {
  call.NeededConstant(0, "value");
  call.NeededConstant(1, "value");
  if (call.ok()) Binary(call, combine, "");
}
void RunAdd(OperatorCall& call) {
  Binary(
      call, [](double a, double b) { return a + b; }, "add");
}
void RunSub(OperatorCall& call) {
  Binary(
      call, [](double a, double b) { return a - b; }, "subtract");
}
void RunMul(OperatorCall& call) {
  Binary(
      call, [](double a, double b) { return a * b; }, "multiply");
}
void RunDiv(OperatorCall& call) {
  if (call.Needed(0).whole && call.Needed(1).whole)
    return OfConstants(call, [](double a, double b) { return std::trunc(a / b); });
  Binary(
      call, [](double a, double b) { return a / b; }, "divide");
}

void RunPow(OperatorCall& call) {
  const Traced &in = call.Needed(0), &power = call.NeededConstant(1, "power");
  if (!call.ok()) return;
  if (in.constant())
    return Binary(
        call, [](double a, double b) { return std::pow(a, b); }, "pow");
  if (AllAre(power, 2)) return Unary(call, NoFold, "square");
  if (AllAre(power, 0.5)) return Unary(call, NoFold, "sqrt");
  if (AllAre(power, 1)) return call.Give(in);
  call.Refuse("raises to another power than 2, 0.5 or 1");
}

void RunEqual(OperatorCall& call) {
  OfConstants(call, [](double a, double b) { return a == b ? 1.0 : 0.0; });
}
void RunLess(OperatorCall& call) {
  OfConstants(call, [](double a, double b) { return a < b ? 1.0 : 0.0; });
}
void RunGreater(OperatorCall& call) {
  OfConstants(call, [](double a, double b) { return a > b ? 1.0 : 0.0; });
}
void RunAnd(OperatorCall& call) {
  OfConstants(call, [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; });
}
void RunOr(OperatorCall& call) {
  OfConstants(call, [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; });
}
void RunMod(OperatorCall& call) {
  OfConstants(call, [](double a, double b) { return a - b * std::floor(a / b); });
}
void RunNot(OperatorCall& call) {
  Traced out = call.NeededConstant(0, "value");
  for (double& value : out.constants) value = value == 0 ? 1 : 0;
  call.Give(std::move(out));
}

void RunCast(OperatorCall& call) {
  Traced out = call.Needed(0);
  const int64_t to = call.Whole("to", 1);
  const bool is_float = to == 1 || to == 10 || to == 11 || to == 16;
  if (!out.constant() && !out.whole && !is_float) return call.Refuse("makes whole numbers of the data");
  for (double& value : out.constants) {
    const double kept = to == 9 ? (value == 0 ? 0 : 1) : is_float ? value : std::trunc(value);
    if (to != 9 && kept != value) call.Decide({value});
    value = kept;
  }
  out.whole = !is_float;
  call.Give(std::move(out));
}

void RunConstant(OperatorCall& call) {
  const auto& attributes = call.node().attributes;
  if (attributes.empty()) return call.Refuse("has no value");
  const OnnxAttribute& value = attributes.begin()->second;
  const std::string& kind = attributes.begin()->first;
  call.Attribute(kind);
  if (value.tensor != nullptr) return call.Give(FromArray(*value.tensor));
  Traced out;
  if (kind == "value_float") out.constants = {static_cast<double>(value.number)};
  if (kind == "value_int") out.constants = {static_cast<double>(value.whole)};
  if (kind == "value_floats") out.constants.assign(value.numbers.begin(), value.numbers.end());
  if (kind == "value_ints") out.constants.assign(value.wholes.begin(), value.wholes.end());
  out.whole = kind == "value_int" || kind == "value_ints";
  if (kind == "value_floats" || kind == "value_ints") out.shape = {static_cast<int64_t>(out.constants.size())};
  if (kind.rfind("value_", 0) != 0 || kind == "value_string")
    return call.Refuse(absl::StrCat("is a constant of the kind ", kind));
  call.Give(std::move(out));
}

void RunConstantOfShape(OperatorCall& call) {
  const auto shape = call.WholesOf("shape", 0);
  const OnnxAttribute* value = call.Attribute("value");
  if (!call.ok()) return;
  if (!call.CanHold(*shape)) return;
  const bool given = value != nullptr && value->tensor != nullptr && !value->tensor->empty();
  Array filled = Filled(*shape, given ? value->tensor->values[0] : 0);
  filled.whole = given && value->tensor->whole;
  call.Give(FromArray(filled));
}

void RunRange(OperatorCall& call) {
  double bounds[3] = {0, 0, 1};
  for (size_t i = 0; i < 3; ++i) {
    const Traced& each = call.NeededConstant(i, "bounds");
    if (!call.ok() || each.size() != 1) return call.Refuse("has bounds of more than one number");
    bounds[i] = each.constants[0];
  }
  const double count = bounds[2] == 0 ? -1 : std::ceil((bounds[1] - bounds[0]) / bounds[2]);
  if (!(count >= 0 && count <= 1e6)) return call.Refuse("has no or too many numbers");
  Traced out{{static_cast<int64_t>(count)}, {}, {}};
  for (int64_t i = 0; i < out.shape[0]; ++i) out.constants.push_back(bounds[0] + static_cast<double>(i) * bounds[2]);
  call.Give(std::move(out));
}

void RunWhere(OperatorCall& call) {
  const Traced &condition = call.NeededConstant(0, "condition"), &a = call.Needed(1), &b = call.Needed(2);
  bool fits = false, also = false;
  const Sizes shape = BroadcastShape(BroadcastShape(a.shape, b.shape, &fits), condition.shape, &also);
  if (!fits || !also) call.Refuse("chooses between tensors of different shapes");
  if (!call.ok()) return;
  const Traced chosen = Broadcast(condition, shape), wide_a = Broadcast(a, shape), wide_b = Broadcast(b, shape);
  std::vector<Ref> refs;
  for (int64_t i = 0; i < chosen.size(); ++i) refs.push_back(chosen.constants[i] != 0 ? wide_a.At(i) : wide_b.At(i));
  call.Give(FromRefs(shape, std::move(refs)));
}

// The place of the scale for each number of a tensor: one for all, or one along an axis.
double AlongAxis(const Array& array, const Sizes& place, int64_t axis) {
  return array.size() == 1 ? array.values[0] : array.values[place[axis]];
}

// What was kept as small whole numbers becomes floats; the rounding of data on the way is left out.
void RunDequantize(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto scale = call.ConstantInput(1, "scale"), zero = call.ConstantInput(2, "zero point");
  if (!call.ok()) return;
  if (!in.constant()) return call.Give(in);
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
  call.Give(in);
}

// Gives the data itself with a scale of 1 and a zero point of 0.
void RunDynamicQuantize(OperatorCall& call) {
  RunQuantize(call);
  call.Give({{}, {1}, {}});
  call.Give({{}, {0}, {}});
}

}  // namespace

const Operators& ArithmeticOperators() {
  static const auto& operators = *new Operators{
      {"Abs", RunAbs},
      {"Add", RunAdd},
      {"And", RunAnd},
      {"Cast", RunCast},
      {"Clip", RunClip},
      {"Constant", RunConstant},
      {"ConstantOfShape", RunConstantOfShape},
      {"DequantizeLinear", RunDequantize},
      {"Div", RunDiv},
      {"DynamicQuantizeLinear", RunDynamicQuantize},
      {"Elu", RunElu},
      {"Equal", RunEqual},
      {"Exp", RunExp},
      {"Gelu", RunGelu},
      {"Greater", RunGreater},
      {"HardSigmoid", RunHardSigmoid},
      {"LeakyRelu", RunLeakyRelu},
      {"Less", RunLess},
      {"Log", RunLog},
      {"LogSoftmax", RunLogSoftmax},
      {"Mod", RunMod},
      {"Mul", RunMul},
      {"Neg", RunNegate},
      {"Not", RunNot},
      {"Or", RunOr},
      {"Pow", RunPow},
      {"QuantizeLinear", RunQuantize},
      {"Range", RunRange},
      {"Reciprocal", RunReciprocal},
      {"Relu", RunRelu},
      {"Selu", RunSelu},
      {"Sigmoid", RunSigmoid},
      {"Softmax", RunSoftmax},
      {"Softplus", RunSoftplus},
      {"Softsign", RunSoftsign},
      {"Sqrt", RunSqrt},
      {"Sub", RunSub},
      {"Tanh", RunTanh},
      {"Where", RunWhere},
  };
  return operators;
}

}  // namespace rondo::convert
