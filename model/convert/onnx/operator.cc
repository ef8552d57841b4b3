#include "model/convert/onnx/operator.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace rondo::convert {
namespace {

// Attributes that say nothing of the numbers of a trained network, or nothing that its tensors do not say.
constexpr struct {
  absl::string_view op, attribute;
} kWithoutEffect[] = {{"BatchNormalization", "momentum"},
                      {"Cast", "saturate"},

                      {"DequantizeLinear", "axis"},
                      {"Dropout", "ratio"},
                      {"Dropout", "seed"},
                      {"LayerNormalization", "stash_type"},
                      {"MaxPool", "storage_order"},
                      {"QuantizeLinear", "axis"},
                      {"QuantizeLinear", "saturate"},
                      {"Reshape", "allowzero"},
                      {"Split", "num_outputs"},
                      {"Clip", "max"},
                      {"Clip", "min"}};

// Whole numbers in a constant; what is beyond int64 (as "to the end") is cut to it.
std::vector<int64_t> WholeNumbers(const Traced& tensor) {
  std::vector<int64_t> numbers;
  for (const double value : tensor.constants) {
    constexpr double kMost = 9.0e18;
    numbers.push_back(value >= kMost ? INT64_MAX : value <= -kMost ? -INT64_MAX : static_cast<int64_t>(value));
  }
  return numbers;
}

}  // namespace

std::string OperatorCall::Part(absl::string_view part) const { return absl::StrCat(element_name(), "_", part); }

const Traced& OperatorCall::Needed(size_t i) {
  if (const Traced* input = Input(i)) return *input;
  Refuse(absl::StrCat("has no input ", i));
  return empty_;
}

const Traced& OperatorCall::NeededConstant(size_t i, absl::string_view what) {
  const Traced& input = Needed(i);
  if (input.constant()) return input;
  const int32_t source = input.refs.empty() ? Ref::kConstant : input.refs[0].source;
  const std::string reason = source == Ref::kConstant ? "" : tracer_.ReasonOf(source);
  Refuse(absl::StrCat("takes its ", what, " from ", reason.empty() ? "the data; a constant is supported" : reason));
  return empty_;
}

std::optional<Array> OperatorCall::ConstantInput(size_t i, absl::string_view what) {
  if (Input(i) == nullptr) return Array{};
  const Traced& input = NeededConstant(i, what);
  if (!ok()) return std::nullopt;
  return ToArray(input);
}

const OnnxAttribute* OperatorCall::Attribute(const std::string& attribute) const {
  asked_.insert(attribute);
  const auto found = node_.attributes.find(attribute);
  return found == node_.attributes.end() ? nullptr : &found->second;
}

int64_t OperatorCall::Whole(const std::string& attribute, int64_t otherwise) const {
  const OnnxAttribute* found = Attribute(attribute);
  return found == nullptr ? otherwise : found->whole;
}

double OperatorCall::Number(const std::string& attribute, double otherwise) const {
  const OnnxAttribute* found = Attribute(attribute);
  return found == nullptr ? otherwise : static_cast<double>(found->number);
}

std::string OperatorCall::Text(const std::string& attribute, absl::string_view otherwise) const {
  const OnnxAttribute* found = Attribute(attribute);
  return found == nullptr ? std::string(otherwise) : found->text;
}

std::optional<std::vector<int64_t>> OperatorCall::Wholes(const std::string& attribute) const {
  const OnnxAttribute* found = Attribute(attribute);
  if (found == nullptr) return std::nullopt;
  return found->wholes;
}

std::string OperatorCall::UnknownAttribute() const {
  for (const auto& [name, attribute] : node_.attributes) {
    const bool harmless =
        std::any_of(std::begin(kWithoutEffect), std::end(kWithoutEffect),
                    [&, &name = name](const auto& each) { return each.op == node_.op && each.attribute == name; });
    if (asked_.count(name) == 0 && !harmless) return name;
  }
  return "";
}

std::optional<std::vector<int64_t>> OperatorCall::WholesOf(const std::string& attribute, size_t input) {
  if (Input(input) == nullptr) return Wholes(attribute);
  return WholeNumbers(NeededConstant(input, attribute));
}

int64_t OperatorCall::Axis(int64_t axis, int64_t rank) {
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  Refuse(absl::StrCat("names axis ", axis, " of a tensor with ", rank));
  return -1;
}

void OperatorCall::Refuse(absl::string_view message) { tracer_.graph().Refuse(absl::StrCat(named(), " ", message)); }

bool OperatorCall::CanHold(const std::vector<int64_t>& shape) {
  if (shape.size() <= 8 && SizeOf(shape).value_or(kMaxTraced + 1) <= kMaxTraced) return true;
  Refuse(absl::StrCat("makes a tensor of ", ShapeText(shape), "; at most ", kMaxTraced, " numbers are followed"));
  return false;
}

void OperatorCall::GiveValue(const Value& value, const std::vector<int64_t>& shape, const AxisRoles& roles) {
  if (!ok() || !CanHold(shape)) return;
  Give(tracer_.Spread(tracer_.AddSource(value, roles.timesteps), shape, roles));
}

}  // namespace rondo::convert
