// Constants, and what only constants go through: comparisons, and whole numbers that shapes are made of.

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/elementwise.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

// Truth values and whole numbers are of shapes and branches, so that only constants come here.
void RunEqual(OperatorCall& call) {
  Binary(
      call, [](double a, double b) { return a == b ? 1.0 : 0.0; }, "");
}
void RunLess(OperatorCall& call) {
  Binary(
      call, [](double a, double b) { return a < b ? 1.0 : 0.0; }, "");
}
void RunGreater(OperatorCall& call) {
  Binary(
      call, [](double a, double b) { return a > b ? 1.0 : 0.0; }, "");
}
void RunAnd(OperatorCall& call) {
  Binary(
      call, [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; }, "");
}
void RunOr(OperatorCall& call) {
  Binary(
      call, [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }, "");
}
void RunMod(OperatorCall& call) {
  Binary(
      call, [](double a, double b) { return a - b * std::floor(a / b); }, "");
}
void RunNot(OperatorCall& call) {
  Traced out = call.NeededConstant(0, "value");
  for (double& value : out.constants) value = value == 0 ? 1 : 0;
  call.Give(std::move(out));
}

// Whole numbers of an input of floats, as Keras casts what an embedding looks up. Nothing else can read them: what an
// input's floats lose there would be lost without a word.
void CastToTokens(OperatorCall& call, Traced in) {
  std::map<int32_t, int32_t>& tokens = call.run().tokens;
  for (Ref& ref : in.refs) {
    if (ref.constant() || call.run().inputs.count(ref.source) == 0)
      return call.Refuse("makes whole numbers of the data");
    const int32_t input = ref.source;
    const auto known =
        std::find_if(tokens.begin(), tokens.end(), [&](const auto& each) { return each.second == input; });
    if (known == tokens.end()) {
      ref.source = call.tracer().AddUnreadable(
          absl::StrCat("whole numbers that ", call.named(), " makes of the data; a look-up of tokens can read them"));
      tokens[ref.source] = input;
    } else {
      ref.source = known->first;
    }
  }
  in.whole = true;
  call.Give(std::move(in));
}

void RunCast(OperatorCall& call) {
  Traced out = call.Needed(0);
  const int64_t to = call.Whole("to", 1);
  const bool is_float = to == 1 || to == 10 || to == 11 || to == 16;
  if (!out.constant() && !out.whole && !is_float) return CastToTokens(call, std::move(out));
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

}  // namespace

const Operators& ConstantOperators() {
  static const auto& operators = *new Operators{
      {"And", RunAnd},     {"Cast", RunCast},       {"Constant", RunConstant}, {"ConstantOfShape", RunConstantOfShape},
      {"Equal", RunEqual}, {"Greater", RunGreater}, {"Less", RunLess},         {"Mod", RunMod},
      {"Not", RunNot},     {"Or", RunOr},           {"Range", RunRange},       {"Where", RunWhere},
  };
  return operators;
}

}  // namespace rondo::convert
