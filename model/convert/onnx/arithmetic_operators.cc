// Operators that combine two tensors number by number.

#include <cmath>

#include "model/convert/onnx/elementwise.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Combine = double (*)(double, double);

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
    return Binary(
        call, [](double a, double b) { return std::trunc(a / b); }, "");
  Binary(
      call, [](double a, double b) { return a / b; }, "divide");
}

// x^3 is x^2 times x.
void Cube(OperatorCall& call, const Traced& in) {
  auto roles = call.tracer().Roles(call.named(), in);
  if (!roles.has_value()) return;
  call.tracer().ChooseOrder(in, &*roles);
  const Value x = call.tracer().FrameOf(call.named(), in, *roles);
  const Value square = AddActivation(call.graph(), call.Part("square"), x, "square");
  call.GiveValue(AddArithmetic(call.graph(), call.element_name(), "multiply", square, x), in.shape, *roles);
}

void RunPow(OperatorCall& call) {
  const Traced &in = call.Needed(0), &power = call.NeededConstant(1, "power");
  if (!call.ok()) return;
  if (in.constant())
    return Binary(
        call, [](double a, double b) { return std::pow(a, b); }, "pow");
  if (AllAre(power, 2)) return Unary(call, nullptr, "square");
  if (AllAre(power, 0.5)) return Unary(call, nullptr, "sqrt");
  if (AllAre(power, 1)) return call.Give(in);
  if (AllAre(power, 3)) return Cube(call, in);
  call.Refuse("raises to another power than 3, 2, 1 or 0.5");
}

// The smaller or the larger of the data and a number that bounds it.
void Bound(OperatorCall& call, Combine combine, bool from_below) {
  if (call.input_count() != 2) return call.Refuse("compares other than two tensors");
  const Traced &a = call.Needed(0), &b = call.Needed(1);
  if (a.constant() && b.constant()) return Binary(call, combine, "");
  const Traced &data = a.constant() ? b : a, &bound = a.constant() ? a : b;
  if (!bound.constant() || bound.size() == 0 || !AllAre(bound, bound.constants[0]))
    return call.Refuse("compares data with data; one number that bounds the data is supported");
  constexpr double kMost = 1e30;
  const double number = bound.constants[0];
  GiveFunction(call, data,
               {{"function", "clip"}, {"alpha", from_below ? number : -kMost}, {"beta", from_below ? kMost : number}});
}
void RunMax(OperatorCall& call) {
  Bound(
      call, [](double a, double b) { return a > b ? a : b; }, true);
}
void RunMin(OperatorCall& call) {
  Bound(
      call, [](double a, double b) { return a < b ? a : b; }, false);
}

}  // namespace

const Operators& ArithmeticOperators() {
  static const auto& operators = *new Operators{
      {"Add", RunAdd}, {"Div", RunDiv}, {"Max", RunMax}, {"Min", RunMin},
      {"Mul", RunMul}, {"Pow", RunPow}, {"Sub", RunSub},
  };
  return operators;
}

}  // namespace rondo::convert
