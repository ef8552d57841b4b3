// Functions of each number, which become activations.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/elementwise.h"
#include "model/convert/onnx/gelu.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

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
  Unary(call, nullptr, function);
}

void RunErf(OperatorCall& call) { Parametric(call, kErf); }  // a part of a GELU, or it is refused in the end
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
    if (least == 0 && most >= kMost) return Unary(call, nullptr, "relu");
    return Unary(call, nullptr, {{"function", "clip"}, {"alpha", least}, {"beta", most}});
  }
  Traced out = in;
  call.Decide(out.constants);
  for (double& value : out.constants) value = std::min(std::max(value, least), most);
  call.Give(std::move(out));
}

// Over one axis; before opset 13 over all axes from that one on, together.
void Softmax(OperatorCall& call, absl::string_view function) {
  const bool one_axis = call.opset() >= 13;
  const Traced& in = call.Needed(0);
  const int64_t axis = call.Axis(call.Whole("axis", one_axis ? -1 : 1), in.rank());
  if (!call.ok()) return;
  if (in.constant()) return call.Refuse("is of a constant");
  Sizes over;
  for (int64_t each = axis; each < (one_axis ? axis + 1 : in.rank()); ++each) over.push_back(each);
  const auto roles = call.tracer().Roles(call.named(), in, over);
  if (!roles.has_value()) return;
  int64_t inside = 0, outside = 0;  // axes of several numbers
  for (const int64_t each : roles->frame_axes) {
    if (in.shape[each] > 1) ++(each >= over.front() && each <= over.back() ? inside : outside);
  }
  // Over one place there is nothing to share out: each number becomes 1. So it is over the sequences of a batch, too.
  if (inside == 0 && outside > 0) {
    return call.Refuse(absl::StrCat("is over axis ", axis, " of ", ShapeText(in.shape),
                                    ", along which there is one number, so that every answer is the same; over a "
                                    "timestep's numbers is supported"));
  }
  if (outside > 0)
    return call.Refuse("is over one of several axes of a timestep's numbers; over the only one is supported");
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  call.GiveValue(AddActivation(call.graph(), call.element_name(), value, std::string(function)), in.shape, *roles);
}
void RunSoftmax(OperatorCall& call) { Softmax(call, "softmax"); }
void RunLogSoftmax(OperatorCall& call) { Softmax(call, "log_softmax"); }

// x times a function of x.
void TimesFunction(OperatorCall& call, const std::vector<Activation>& functions) {
  const Traced& in = call.Needed(0);
  if (in.constant()) return call.Refuse("is of a constant");
  const auto roles = call.tracer().Roles(call.named(), in);
  if (!roles.has_value()) return;
  const Value x = call.tracer().FrameOf(call.named(), in, *roles);
  Value y = x;
  for (const Activation& function : functions) y = AddActivation(call.graph(), call.Part("gate"), y, function);
  call.GiveValue(AddArithmetic(call.graph(), call.element_name(), "multiply", x, y), in.shape, *roles);
}
void RunHardSwish(OperatorCall& call) {
  TimesFunction(call, {{{"function", "hard_sigmoid"}, {"alpha", 1.0 / 6}, {"beta", 0.5}}});
}
void RunMish(OperatorCall& call) { TimesFunction(call, {"softplus", "tanh"}); }

// x, or below 0 slope * x, with a slope a channel: relu(x) - slope * relu(-x).
void RunPRelu(OperatorCall& call) {
  const Traced &in = call.Needed(0), &slope = call.NeededConstant(1, "slope");
  if (!call.ok()) return;
  if (in.constant() || slope.size() == 0) return call.Refuse("is of a constant");
  if (AllAre(slope, slope.constants[0]))
    return GiveFunction(call, in, {{"function", "leaky_relu"}, {"alpha", slope.constants[0]}});
  const int64_t behind = in.rank() - 2, own = slope.rank() - 1 - behind;
  if (in.rank() < 2 || own < 0 || slope.shape[own] != in.shape[1] || slope.size() != in.shape[1])
    return call.Refuse(absl::StrCat("has slopes of ", ShapeText(slope.shape), "; one for each channel is supported"));
  const auto roles = call.tracer().Roles(call.named(), in, {1});
  if (!roles.has_value()) return;
  if (roles->frame_axes[0] != 1) return call.Refuse("has channels behind other axes of a timestep");
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  const int64_t channels = in.shape[1];
  const Value x = AddReshape(call.graph(), call.Part("frame"), value, {channels, value.frame.size() / channels});
  const Value above = AddActivation(call.graph(), call.Part("above"), x, "relu");
  const Value negated = AddActivation(call.graph(), call.Part("negated"), x, "negate");
  const Value below = AddActivation(call.graph(), call.Part("below"), negated, "relu");
  Array factors = Filled({channels}, 0);
  for (int64_t i = 0; i < channels; ++i) factors.values[i] = -slope.constants[i];
  const Value bent = AddScale(call.graph(), call.Part("bent"), below, std::move(factors), Filled({channels}, 0));
  call.GiveValue(AddArithmetic(call.graph(), call.element_name(), "add", above, bent), in.shape, *roles);
}

}  // namespace

const Operators& FunctionOperators() {
  static const auto& operators = *new Operators{
      {"Abs", RunAbs},
      {"Clip", RunClip},
      {"Elu", RunElu},
      {"Erf", RunErf},
      {"Exp", RunExp},
      {"Gelu", RunGelu},
      {"HardSigmoid", RunHardSigmoid},
      {"HardSwish", RunHardSwish},
      {"LeakyRelu", RunLeakyRelu},
      {"Log", RunLog},
      {"LogSoftmax", RunLogSoftmax},
      {"Mish", RunMish},
      {"Neg", RunNegate},
      {"PRelu", RunPRelu},
      {"Reciprocal", RunReciprocal},
      {"Relu", RunRelu},
      {"Selu", RunSelu},
      {"Sigmoid", RunSigmoid},
      {"Softmax", RunSoftmax},
      {"Softplus", RunSoftplus},
      {"Softsign", RunSoftsign},
      {"Sqrt", RunSqrt},
      {"Tanh", RunTanh},
  };
  return operators;
}

}  // namespace rondo::convert
