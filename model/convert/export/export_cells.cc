// LSTM, GRU and RNN as nodes of ONNX.

#include <map>

#include "absl/strings/str_cat.h"
#include "model/convert/export/element_export.h"

namespace rondo::convert {
namespace {

// Our gates in ONNX's order: i f g o -> i o f c, r z n -> z r h.
Sizes GateOrder(const std::string& type) {
  return type == "lstm" ? Sizes{0, 3, 1, 2} : type == "gru" ? Sizes{1, 0, 2} : Sizes{0};
}

// An array with an axis for the one direction. The update gate of a GRU that replaces is turned round, z to 1 - z.
Array ForCell(ElementExport& e, const Array& array) {
  Array result = Regated(array, GateOrder(e.type()));
  const bool turned = e.type() == "gru" && e.attributes().value("update", "keep") == "replace";
  for (size_t i = 0; turned && i < result.values.size() / 3; ++i) result.values[i] = -result.values[i];
  result.shape.insert(result.shape.begin(), 1);
  return result;
}

const std::map<std::string, std::string>& CellFunctions() {
  static const auto& functions = *new std::map<std::string, std::string>{{"sigmoid", "Sigmoid"},
                                                                         {"tanh", "Tanh"},
                                                                         {"relu", "Relu"},
                                                                         {"hard_sigmoid", "HardSigmoid"},
                                                                         {"softsign", "Softsign"}};
  return functions;
}

// The names of the cell's functions and the parameters of those that have some.
void AddFunctions(ElementExport& e, OnnxAttributes* attributes) {
  Names names;
  std::vector<double> alphas, betas;
  const auto add = [&](const char* key, const char* usual) {
    const Json function = e.attributes().value(key, Json(usual));
    const std::string name = function.is_string() ? function.get<std::string>() : function.value("function", "");
    const auto found = CellFunctions().find(name);
    if (found == CellFunctions().end()) {
      e.Refuse(absl::StrCat("has the function ", name));
      return;
    }
    names.push_back(found->second);
    if (name != "hard_sigmoid") return;
    alphas.push_back(function.is_object() ? function.value("alpha", 0.2) : 0.2);
    betas.push_back(function.is_object() ? function.value("beta", 0.5) : 0.5);
  };
  if (e.type() == "rnn") {
    add("activation", "tanh");
  } else {
    add("gate_activation", "sigmoid");
    add("candidate_activation", "tanh");
    if (e.type() == "lstm") add("output_activation", "tanh");
  }
  attributes->emplace_back("activations", names);
  if (!alphas.empty()) attributes->emplace_back("activation_alpha", alphas);
  if (!betas.empty()) attributes->emplace_back("activation_beta", betas);
}

std::string ExportCell(ElementExport& e) {
  const int64_t units = e.frame().channels;
  const auto state = [&](absl::string_view slot) {
    const Array* array = e.Slot(slot);
    return array == nullptr ? std::string() : e.Floats(Reshaped(*array, {1, 1, units}));
  };
  Names inputs = {e.Add("Reshape", {e.In(), e.Wholes({0, 1, -1})}), e.Floats(ForCell(e, *e.Slot("weight_ih"))),
                  e.Floats(ForCell(e, *e.Slot("weight_hh"))), ""};
  if (e.Slot("bias_ih") != nullptr) {
    Array biases = ForCell(e, *e.Slot("bias_ih"));
    const Array recurrent = ForCell(e, *e.Slot("bias_hh"));
    biases.values.insert(biases.values.end(), recurrent.values.begin(), recurrent.values.end());
    biases.shape[1] *= 2;
    inputs[3] = e.Floats(biases);
  }
  inputs.insert(inputs.end(), {"", state("initial_h")});
  if (e.type() == "lstm") inputs.push_back(state("initial_c"));
  if (const Array* peephole = e.Slot("peephole")) {
    inputs.push_back(e.Floats(Reshaped(Regated(*peephole, Sizes{0, 2, 1}), {1, 3 * units})));
  }
  OnnxAttributes attributes = {{"hidden_size", units}, {"direction", e.attributes().value("direction", "forward")}};
  AddFunctions(e, &attributes);
  if (e.type() == "gru") {
    attributes.emplace_back("linear_before_reset", int64_t{e.attributes().value("reset", "after") == "after" ? 1 : 0});
  }
  const std::string op = e.type() == "lstm" ? "LSTM" : e.type() == "gru" ? "GRU" : "RNN";
  return e.Column(e.Add(op, inputs, attributes));
}

}  // namespace

const ElementExporters& CellExporters() {
  static const auto& exporters = *new ElementExporters{
      {"gru", ExportCell},
      {"lstm", ExportCell},
      {"rnn", ExportCell},
  };
  return exporters;
}

}  // namespace rondo::convert
