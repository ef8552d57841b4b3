#include "model/network/attribute_reader.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "model/json/json_text.h"

namespace rondo {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;
using Need = ObjectReader::Need;

// One row a function: its name, and alpha and beta if it takes them and the description does not say them.
struct FunctionRow {
  absl::string_view name;
  FunctionKind kind;
  int parameters;  // 0, alpha, or alpha and beta
  double alpha, beta;
};

constexpr FunctionRow kFunctions[] = {
    {"linear", FunctionKind::kLinear, 0, 0, 0},     {"relu", FunctionKind::kRelu, 0, 0, 0},
    {"sigmoid", FunctionKind::kSigmoid, 0, 0, 0},   {"hard_sigmoid", FunctionKind::kHardSigmoid, 2, 0.2, 0.5},
    {"tanh", FunctionKind::kTanh, 0, 0, 0},         {"leaky_relu", FunctionKind::kLeakyRelu, 1, 0.01, 0},
    {"elu", FunctionKind::kElu, 1, 1, 0},           {"selu", FunctionKind::kSelu, 0, 0, 0},
    {"softsign", FunctionKind::kSoftsign, 0, 0, 0}, {"swish", FunctionKind::kSwish, 0, 0, 0},
    {"exp", FunctionKind::kExp, 0, 0, 0},           {"sqrt", FunctionKind::kSqrt, 0, 0, 0},
    {"square", FunctionKind::kSquare, 0, 0, 0},     {"abs", FunctionKind::kAbs, 0, 0, 0},
    {"negate", FunctionKind::kNegate, 0, 0, 0},     {"reciprocal", FunctionKind::kReciprocal, 0, 0, 0},
    {"clip", FunctionKind::kClip, 2, 0, 1},         {"log", FunctionKind::kLog, 1, 0, 0},
    {"softplus", FunctionKind::kSoftplus, 0, 0, 0}, {"gelu", FunctionKind::kGelu, 0, 0, 0},
    {"softmax", FunctionKind::kSoftmax, 0, 0, 0},   {"log_softmax", FunctionKind::kLogSoftmax, 0, 0, 0},
};

const FunctionRow& RowOf(FunctionKind kind) {
  for (const FunctionRow& row : kFunctions) {
    if (row.kind == kind) return row;
  }
  return kFunctions[0];
}

const ObjectReader::Choices<FunctionKind>& FunctionChoices() {
  static const auto& choices = *[] {
    auto* const made = new ObjectReader::Choices<FunctionKind>;
    for (const FunctionRow& row : kFunctions) made->emplace_back(row.name, row.kind);
    return made;
  }();
  return choices;
}

ActivationFunction Default(FunctionKind kind) {
  const FunctionRow& row = RowOf(kind);
  return {kind, static_cast<float>(row.alpha), static_cast<float>(row.beta)};
}

void WriteParameters(const ActivationFunction& function, OrderedJson* text) {
  const int parameters = RowOf(function.kind).parameters;
  if (parameters > 0) (*text)["alpha"] = function.alpha;
  if (parameters > 1) (*text)["beta"] = function.beta;
}

}  // namespace

AttributeReader::AttributeReader(ObjectReader* object, absl::Span<const Frame> inputs, absl::Status* status)
    : object_(object), inputs_(inputs), status_(status) {}

const Frame& AttributeReader::input(size_t i) const {
  static const Frame none;
  return i < inputs_.size() ? inputs_[i] : none;
}

void AttributeReader::TakeInputs(size_t wanted) {
  if (inputs_.size() == wanted) return;
  Refuse(absl::StrCat(Where("of"), " names ", inputs_.size(), " values; the element takes ", wanted));
}

int64_t AttributeReader::Whole(absl::string_view key, Bounds bounds, std::optional<int64_t> absent) {
  int64_t value = absent.value_or(bounds.least);
  object_->Read(key, absent ? Need::kOptional : Need::kRequired, &value);
  if (ok() && (value < bounds.least || value > bounds.most)) {
    Refuse(absl::StrCat(Where(key), " is ", value, "; it must be ", bounds.least, " to ", bounds.most));
  }
  text_[std::string(key)] = value;
  return ok() ? value : bounds.least;
}

double AttributeReader::Real(absl::string_view key, double absent) {
  double value = absent;
  object_->Read(key, Need::kOptional, &value);
  constexpr double kMost = 1e30;
  if (!(std::abs(value) <= kMost)) {
    Refuse(absl::StrCat(Where(key), " is ", value, "; it must be finite and at most ", kMost));
    value = absent;
  }
  text_[std::string(key)] = value;
  return value;
}

bool AttributeReader::Flag(absl::string_view key, bool absent) {
  bool value = absent;
  object_->Read(key, Need::kOptional, &value);
  text_[std::string(key)] = value;
  return value;
}

std::string AttributeReader::Name(absl::string_view key) {
  std::string value;
  object_->Read(key, Need::kRequired, &value);
  if (ok() && value.empty()) Refuse(absl::StrCat(Where(key), " is empty; it must name an element"));
  text_[std::string(key)] = value;
  return value;
}

ActivationFunction AttributeReader::FunctionOf(ObjectReader& reader, absl::string_view key) {
  FunctionKind kind = FunctionKind::kLinear;
  reader.Read(key, Need::kRequired, FunctionChoices(), &kind);
  const FunctionRow& row = RowOf(kind);
  double alpha = row.alpha, beta = row.beta;
  if (row.parameters > 0) reader.Read("alpha", Need::kOptional, &alpha);
  if (row.parameters > 1) reader.Read("beta", Need::kOptional, &beta);
  constexpr double kMost = 1e30f;  // what was read as 1e30 is written as the float next to it
  if (!(std::abs(alpha) <= kMost && std::abs(beta) <= kMost)) {
    Refuse(absl::StrCat(reader.Where("alpha"), " is ", alpha, " and beta ", beta, "; they must be at most ", kMost));
    alpha = beta = 0;
  }
  return {kind, static_cast<float>(alpha), static_cast<float>(beta)};
}

ActivationFunction AttributeReader::Function(absl::string_view key, FunctionKind absent) {
  ActivationFunction function = Default(absent);
  if (const Json* json = object_->Find(key, Need::kOptional)) {
    if (json->is_object()) {
      ObjectReader reader(*json, Where(key), status_);
      function = FunctionOf(reader, "function");
      reader.RefuseOthers();
    } else {
      object_->Choose(*json, Where(key), FunctionChoices(), &function.kind);
      function = Default(function.kind);
    }
  }
  const std::string name(RowOf(function.kind).name);
  if (RowOf(function.kind).parameters == 0) {
    text_[std::string(key)] = name;
  } else {
    OrderedJson text = {{"function", name}};
    WriteParameters(function, &text);
    text_[std::string(key)] = std::move(text);
  }
  return function;
}

ActivationFunction AttributeReader::OwnFunction() {
  const ActivationFunction function = FunctionOf(*object_, "function");
  text_["function"] = std::string(RowOf(function.kind).name);
  WriteParameters(function, &text_);
  return function;
}

std::pair<int64_t, int64_t> AttributeReader::Padding(absl::string_view key) {
  std::pair<int64_t, int64_t> padding{0, 0};
  if (const Json* json = object_->FindArray(key, Need::kOptional)) {
    const auto is_whole = [](const Json& value) {
      return value.is_number_unsigned() && value.get<uint64_t>() <= static_cast<uint64_t>(kMaxDimension);
    };
    if (json->size() != 2 || !is_whole((*json)[0]) || !is_whole((*json)[1])) {
      Refuse(absl::StrCat(Where(key), " must be two whole numbers, before and after, of at most ", kMaxDimension));
    } else {
      padding = {(*json)[0].get<int64_t>(), (*json)[1].get<int64_t>()};
    }
  }
  text_[std::string(key)] = {padding.first, padding.second};
  return padding;
}

}  // namespace rondo
