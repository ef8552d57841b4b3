#include "model/convert/onnx/operator.h"

#include "absl/strings/str_cat.h"

namespace rondo::convert {
namespace {

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

const Traced& OperatorCall::Needed(size_t i) {
  if (const Traced* input = Input(i)) return *input;
  Refuse(absl::StrCat("has no input ", i));
  return empty_;
}

const Traced& OperatorCall::NeededConstant(size_t i, absl::string_view what) {
  const Traced& input = Needed(i);
  if (input.constant()) return input;
  Refuse(absl::StrCat("takes its ", what, " from the data; a constant is supported"));
  return empty_;
}

std::optional<Array> OperatorCall::ConstantInput(size_t i, absl::string_view what) {
  if (Input(i) == nullptr) return Array{};
  const Traced& input = NeededConstant(i, what);
  if (!ok()) return std::nullopt;
  return ToArray(input);
}

int64_t OperatorCall::Whole(const std::string& attribute, int64_t otherwise) const {
  const auto found = node_.attributes.find(attribute);
  return found == node_.attributes.end() ? otherwise : found->second.whole;
}

double OperatorCall::Number(const std::string& attribute, double otherwise) const {
  const auto found = node_.attributes.find(attribute);
  return found == node_.attributes.end() ? otherwise : static_cast<double>(found->second.number);
}

std::string OperatorCall::Text(const std::string& attribute, absl::string_view otherwise) const {
  const auto found = node_.attributes.find(attribute);
  return found == node_.attributes.end() ? std::string(otherwise) : found->second.text;
}

std::optional<std::vector<int64_t>> OperatorCall::Wholes(const std::string& attribute) const {
  const auto found = node_.attributes.find(attribute);
  if (found == node_.attributes.end()) return std::nullopt;
  return found->second.wholes;
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
  Give(tracer_.Spread(tracer_.AddSource(value), shape, roles));
}

}  // namespace rondo::convert
