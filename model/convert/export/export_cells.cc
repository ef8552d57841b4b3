// LSTM, GRU and RNN as nodes of ONNX.

#include <map>

#include "absl/strings/str_cat.h"
#include "model/convert/export/element_export.h"

namespace rondo::convert {
namespace {

// lstm, gru or rnn, wherever the cell goes.
std::string CellOf(ElementExport& e) { return e.attributes().value("cell", e.type()); }

// Our gates in ONNX's order: i f g o -> i o f c, r z n -> z r h.
Sizes GateOrder(const std::string& type) {
  return type == "lstm" ? Sizes{0, 3, 1, 2} : type == "gru" ? Sizes{1, 0, 2} : Sizes{0};
}

// An array with an axis for the one direction. The update gate of a GRU that replaces is turned round, z to 1 - z.
Array ForCell(ElementExport& e, const Array& array) {
  Array result = Regated(array, GateOrder(CellOf(e)));
  const bool turned = CellOf(e) == "gru" && e.attributes().value("update", "keep") == "replace";
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
  const std::string cell = CellOf(e);
  if (cell == "rnn") {
    add("activation", "tanh");
  } else {
    add("gate_activation", "sigmoid");
    add("candidate_activation", "tanh");
    if (cell == "lstm") add("output_activation", "tanh");
  }
  attributes->emplace_back("activations", names);
  if (!alphas.empty()) attributes->emplace_back("activation_alpha", alphas);
  if (!betas.empty()) attributes->emplace_back("activation_beta", betas);
}

// [timesteps, channels, length] as what a cell goes along first, then what it does not tell apart, then its numbers.
std::string CellInput(ElementExport& e) {
  if (e.type() == "frame_cell") return e.Add("Transpose", {e.In()}, {{"perm", Sizes{2, 0, 1}}});
  if (e.type() == "position_cell") return e.Add("Transpose", {e.In()}, {{"perm", Sizes{0, 2, 1}}});
  return e.Add("Reshape", {e.In(), e.Wholes({0, 1, -1})});
}

// The cell's Y, [., 1, ., units], as the element's value.
std::string CellOutput(ElementExport& e, const std::string& y) {
  if (e.type() != "frame_cell" && e.type() != "position_cell") return e.Column(y);
  const Sizes order = e.type() == "frame_cell" ? Sizes{1, 2, 0} : Sizes{0, 2, 1};
  return e.Add("Transpose", {e.Add("Squeeze", {y, e.Wholes({1})})}, {{"perm", order}});
}

// Where the cell begins, [1, ., units]; empty: at zero.
std::string StateOfCell(ElementExport& e, const std::string& part) {
  const Array* array = e.Slot("initial_" + part);
  if (e.one_timestep() && e.type() != "frame_cell") {
    if (array != nullptr) e.Refuse("begins somewhere else than at zero, in a network with a memory");
    return e.State("_" + part, {1, e.type() == "position_cell" ? e.frame().length : 1, e.frame().channels});
  }
  if (array == nullptr) return "";
  const int64_t units = e.frame().channels, places = e.type() == "position_cell" ? e.frame().length : 1;
  Array all = Filled({1, places, units}, 0);
  for (int64_t i = 0; i < all.size(); ++i) all.values[i] = array->values[i % units];
  const std::string state = e.Floats(all);
  if (e.type() != "frame_cell") return state;
  return e.Add("Transpose", {e.ForEachTimestep(state, {1, units})}, {{"perm", Sizes{1, 0, 2}}});
}

std::string ExportCell(ElementExport& e) {
  const std::string cell = CellOf(e);
  Names inputs = {CellInput(e), e.Floats(ForCell(e, *e.Slot("weight_ih"))), e.Floats(ForCell(e, *e.Slot("weight_hh"))),
                  ""};
  if (e.Slot("bias_ih") != nullptr) {
    Array biases = ForCell(e, *e.Slot("bias_ih"));
    const Array recurrent = ForCell(e, *e.Slot("bias_hh"));
    biases.values.insert(biases.values.end(), recurrent.values.begin(), recurrent.values.end());
    biases.shape[1] *= 2;
    inputs[3] = e.Floats(biases);
  }
  inputs.insert(inputs.end(), {"", StateOfCell(e, "h")});
  if (cell == "lstm") inputs.push_back(StateOfCell(e, "c"));
  const int64_t units = e.frame().channels;
  if (const Array* peephole = e.Slot("peephole")) {
    inputs.push_back(e.Floats(Reshaped(Regated(*peephole, Sizes{0, 2, 1}), {1, 3 * units})));
  }
  OnnxAttributes attributes = {{"hidden_size", units}, {"direction", e.attributes().value("direction", "forward")}};
  AddFunctions(e, &attributes);
  if (cell == "gru") {
    attributes.emplace_back("linear_before_reset", int64_t{e.attributes().value("reset", "after") == "after" ? 1 : 0});
  }
  const bool hands_on = e.one_timestep() && e.type() != "frame_cell";
  const int outputs = !hands_on ? 1 : cell == "lstm" ? 3 : 2;  // all timesteps, then the states after the last
  const std::string y = e.Add(cell == "lstm" ? "LSTM" : cell == "gru" ? "GRU" : "RNN", inputs, attributes, outputs);
  if (hands_on) e.SetNext(inputs[5], y + "_1");
  if (hands_on && cell == "lstm") e.SetNext(inputs[6], y + "_2");
  return CellOutput(e, y);
}

}  // namespace

const ElementExporters& CellExporters() {
  static const auto& exporters = *new ElementExporters{
      {"frame_cell", ExportCell},    {"gru", ExportCell}, {"lstm", ExportCell},
      {"position_cell", ExportCell}, {"rnn", ExportCell},
  };
  return exporters;
}

}  // namespace rondo::convert
