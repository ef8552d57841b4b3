#include "model/convert/export/element_export.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace rondo::convert {
namespace {

// Functions that ONNX has under another name, without parameters.
const std::map<std::string, std::string>& PlainFunctions() {
  static const auto& functions = *new std::map<std::string, std::string>{{"relu", "Relu"},
                                                                         {"sigmoid", "Sigmoid"},
                                                                         {"tanh", "Tanh"},
                                                                         {"selu", "Selu"},
                                                                         {"exp", "Exp"},
                                                                         {"sqrt", "Sqrt"},
                                                                         {"softplus", "Softplus"},
                                                                         {"softsign", "Softsign"},
                                                                         {"abs", "Abs"},
                                                                         {"negate", "Neg"},
                                                                         {"reciprocal", "Reciprocal"}};
  return functions;
}

}  // namespace

const Array* ElementExport::Slot(absl::string_view name) const {
  for (const auto& [slot, array] : element_.slots) {
    if (slot == name) return &array;
  }
  return nullptr;
}

void ElementExport::Refuse(absl::string_view why) {
  if (!status_.ok()) return;
  status_ =
      absl::InvalidArgumentError(absl::StrCat("element '", element_.name, "' ", why, ", which is not written as ONNX"));
}

std::string ElementExport::State(absl::string_view part, const Sizes& shape) {
  return out_.AddState(absl::StrCat(element_.name, part), shape);
}

std::string ElementExport::WithPast(const std::string& value, int64_t steps) {
  if (steps == 0) return value;
  if (!one_timestep()) return Add("Pad", {value, Wholes({steps, 0, 0, 0, 0, 0})}, {{"mode", "constant"}});
  const std::string past = State("", {steps, InFrame().channels, InFrame().length});
  const std::string all = Add("Concat", {past, value}, {{"axis", int64_t{0}}});
  SetNext(past, Add("Slice", {all, Wholes({1}), Wholes({steps + 1}), Wholes({0})}));
  return all;
}

std::string ElementExport::Padded(const std::string& value, int64_t left, int64_t right, const std::string& mode) {
  if (left == 0 && right == 0) return value;
  return Add("Pad", {value, Wholes({0, 0, left, 0, 0, right})}, {{"mode", mode}});
}

std::string ElementExport::ForEachTimestep(const std::string& value, const Frame& frame) {
  const std::string times = Add("Shape", {like_}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
  const std::string shape = Add("Concat", {times, Wholes({frame.channels, frame.length})}, {{"axis", int64_t{0}}});
  return Add("Expand", {value, shape});
}

std::string ElementExport::Apply(const Json& function, const std::string& in) {
  const std::string name = function.is_string() ? function.get<std::string>() : function.value("function", "");
  const double alpha = function.is_object() ? function.value("alpha", std::nan("")) : std::nan("");
  const double beta = function.is_object() ? function.value("beta", std::nan("")) : std::nan("");
  const auto given = [](double value, double otherwise) { return std::isnan(value) ? otherwise : value; };
  const auto scalar = [&](double value) { return Floats({{}, {value}}); };
  if (name == "linear") return in;
  if (const auto found = PlainFunctions().find(name); found != PlainFunctions().end()) return Add(found->second, {in});
  if (name == "softmax") return Add("Softmax", {in}, {{"axis", int64_t{-1}}});
  if (name == "log_softmax") return Add("LogSoftmax", {in}, {{"axis", int64_t{-1}}});
  if (name == "hard_sigmoid")
    return Add("HardSigmoid", {in}, {{"alpha", given(alpha, 0.2)}, {"beta", given(beta, 0.5)}});
  if (name == "leaky_relu") return Add("LeakyRelu", {in}, {{"alpha", given(alpha, 0.01)}});
  if (name == "elu") return Add("Elu", {in}, {{"alpha", given(alpha, 1)}});
  if (name == "clip") return Add("Clip", {in, scalar(given(alpha, 0)), scalar(given(beta, 1))});
  if (name == "log") return Add("Log", {Add("Add", {in, scalar(given(alpha, 0))})});
  if (name == "square") return Add("Pow", {in, scalar(2)});
  if (name == "swish") return Add("Mul", {in, Add("Sigmoid", {in})});
  if (name == "gelu") {
    const std::string error = Add("Erf", {Add("Mul", {in, scalar(std::sqrt(0.5))})});
    return Add("Mul", {Add("Mul", {in, scalar(0.5)}), Add("Add", {error, scalar(1)})});
  }
  Refuse(absl::StrCat("has the function ", name));
  return in;
}

}  // namespace rondo::convert
