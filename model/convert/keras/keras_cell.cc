// Keras' recurrent layers. Gates: lstm i f c o, as ours; gru z r h.

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/convert/keras/keras_layer.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

std::string CellType(absl::string_view type) {
  return absl::StrContains(type, "LSTM") ? "lstm" : absl::StrContains(type, "GRU") ? "gru" : "rnn";
}

bool IsCudnn(const KerasLayer& layer) { return absl::StartsWith(layer.type(), "CuDNN"); }

Array Gates(const std::string& type, Array array) {
  if (type != "gru" || array.empty() || array.shape[0] % 3 != 0) return array;
  return Regated(array, std::vector<int64_t>{1, 0, 2});
}

// Biases [G*H] (input only), [2, G*H] or CuDNN's [2*G*H] (input, then recurrent).
void TakeBiases(const KerasLayer& layer, const std::string& type, int64_t rows, const Array& bias,
                CellWeights* weights) {
  if (bias.size() == rows) {
    weights->bias_ih = Gates(type, Reshaped(bias, {rows}));
    weights->bias_hh = Filled({rows}, 0);
  } else if (bias.size() == 2 * rows) {
    const Array both = Reshaped(bias, {2 * rows});
    weights->bias_ih = Gates(type, Rows(both, 0, rows));
    weights->bias_hh = Gates(type, Rows(both, rows, 2 * rows));
  } else {
    layer.Refuse(absl::StrCat("has a bias of ", ShapeText(bias.shape), "; ", rows, " or twice as many were wanted"));
  }
}

CellWeights ReadWeights(const KerasLayer& layer, const std::string& type, size_t first) {
  CellWeights weights;
  const Array kernel = layer.Weight(first), recurrent = layer.Weight(first + 1);
  if (!layer.ok()) return weights;
  if (kernel.rank() != 2 || recurrent.rank() != 2) {
    layer.Refuse("has kernels that are no matrices");
    return weights;
  }
  weights.weight_ih = Gates(type, Transposed(kernel));
  weights.weight_hh = Gates(type, Transposed(recurrent));
  if (IsCudnn(layer) || layer.Switch("use_bias", true)) {
    TakeBiases(layer, type, weights.weight_ih.shape[0], layer.Weight(first + 2), &weights);
  }
  return weights;
}

// Keras before 2.3 took hard_sigmoid gates unless told otherwise.
const char* UsualGate(const KerasLayer& layer) {
  const absl::string_view version = layer.version();
  const bool old = absl::StartsWith(version, "1.") || absl::StartsWith(version, "2.0") ||
                   absl::StartsWith(version, "2.1") || absl::StartsWith(version, "2.2");
  return old && !absl::StrContains(version, "tf") && !IsCudnn(layer) ? "hard_sigmoid" : "sigmoid";
}

// The function of a cell's gate, of those that can be one.
Activation GateFunction(const KerasLayer& layer, const char* key, const char* usual) {
  const Activation function = layer.Function(key, usual);
  for (const char* other : {"softmax", "log_softmax", "softplus", "gelu"}) {
    if (function == other)
      layer.Refuse(absl::StrCat("has the ", key, " ", Quoted(other), ", which is not supported within a cell"));
  }
  return function;
}

Json CellAttributes(const KerasLayer& layer, const std::string& type) {
  Json attributes = Json::object();
  const auto set = [&](const char* key, const Activation& function, const char* usual) {
    if (function != usual) attributes[key] = function;
  };
  const Activation activation = GateFunction(layer, "activation", "tanh");
  if (type == "rnn") {
    set("activation", activation, "tanh");
    return attributes;
  }
  set("gate_activation", GateFunction(layer, "recurrent_activation", UsualGate(layer)), "sigmoid");
  set("candidate_activation", activation, "tanh");
  if (type == "lstm") {
    set("output_activation", activation, "tanh");
  } else {
    attributes["reset"] = IsCudnn(layer) || layer.Switch("reset_after", false) ? "after" : "before";
    attributes["update"] = "keep";
  }
  return attributes;
}

Value AddOne(const KerasLayer& layer, const KerasValue& in, size_t first, bool reverse, absl::string_view suffix,
             CellPath path) {
  const std::string type = CellType(layer.type());
  Json attributes = CellAttributes(layer, type);
  if (reverse) attributes["direction"] = "reverse";
  if (layer.Switch("time_major", false))
    layer.Refuse("has time_major=True; timesteps as the second axis are supported");
  CellWeights weights = ReadWeights(layer, type, first);
  if (!layer.ok()) return {};
  const std::string name = absl::StrCat(layer.name(), suffix);
  if (in.late > 0 && path == CellPath::kTimesteps) {
    if (!reverse) return AddLateCell(layer.graph(), name, type, in.value, std::move(weights), attributes, in.late);
    if (!layer.Switch("return_sequences", false))
      layer.Refuse(absl::StrCat("ends where the timesteps begin, ", in.late,
                                " timesteps late after a convolution with padding=valid; causal and same are "
                                "supported before it"));
  }
  return AddCell(layer.graph(), name, type, in.value, std::move(weights), attributes, path);
}

// What a cell gives last: a backward one at the first timestep or place. Forward through the timesteps, it is the last
// answer itself.
Value LastOf(const KerasLayer& layer, const Value& value, bool reverse, CellPath path) {
  if (path == CellPath::kFrame) {
    const int64_t place = reverse ? 0 : value.frame.length - 1;
    return AddSlice(layer.graph(), absl::StrCat(layer.name(), reverse ? "_first" : "_last"), value, "length", place,
                    place + 1, 1);
  }
  if (!reverse) return value;
  return AddSequence(layer.graph(), absl::StrCat(layer.name(), "_first"), "sequence_first", value);
}

// The layer or cell that another one holds under a key. Null: there is none that is known.
const nlohmann::json* Inner(const KerasLayer& layer, const char* key, const std::vector<absl::string_view>& types) {
  const auto inner = layer.config().find(key);
  const bool known = inner != layer.config().end() && inner->is_object() && inner->contains("config") &&
                     inner->contains("class_name") && (*inner)["class_name"].is_string() &&
                     (*inner)["config"].is_object();
  if (!known) return nullptr;
  for (const absl::string_view type : types) {
    if ((*inner)["class_name"].get<std::string>() == type) return &*inner;
  }
  return nullptr;
}

KerasLayer LayerOf(const KerasLayer& layer, const nlohmann::json& inner) {
  return {inner["class_name"].get<std::string>(), inner["config"], layer.version(), layer.weights(), layer.graph()};
}

KerasValue AddBidirectional(const KerasLayer& layer, const KerasValue& in, CellPath path) {
  const std::vector<absl::string_view> types = {"LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU"};
  const nlohmann::json *inner = Inner(layer, "layer", types), *other = Inner(layer, "backward_layer", types);
  if (inner == nullptr) {
    layer.Refuse("wraps no LSTM, GRU or SimpleRNN");
    return {};
  }
  const KerasLayer cell = LayerOf(layer, *inner), cell_back = LayerOf(layer, other == nullptr ? *inner : *other);
  if (cell_back.Switch("return_sequences", false) != cell.Switch("return_sequences", false))
    layer.Refuse("has a forward and a backward layer that differ in return_sequences");
  if (cell.Switch("go_backwards", false)) layer.Refuse("has a forward layer that goes backwards");
  const size_t half = IsCudnn(cell) || cell.Switch("use_bias", true) ? 3 : 2;
  Value forward = AddOne(cell, in, 0, false, "_forward", path);
  Value backward = AddOne(cell_back, in, half, true, "_backward", path);
  const bool sequence = cell.Switch("return_sequences", false);
  if (!sequence) {
    forward = LastOf(layer, forward, false, path);
    backward = LastOf(layer, backward, true, path);
  }
  const std::string mode = layer.Text("merge_mode", "concat");
  if (mode == "concat") return {AddConcat(layer.graph(), layer.name(), {forward, backward}), sequence};
  if (mode != "sum" && mode != "mul" && mode != "ave") {
    layer.Refuse(absl::StrCat("has merge_mode=", mode, "; concat, sum, mul and ave are supported"));
    return {};
  }
  Value merged = AddArithmetic(layer.graph(), layer.name(), mode == "mul" ? "multiply" : "add", forward, backward);
  if (mode == "ave") {
    const Value half_of = AddConstant(layer.graph(), absl::StrCat(layer.name(), "_half"), {{1}, {0.5}});
    merged = AddArithmetic(layer.graph(), absl::StrCat(layer.name(), "_mean"), "multiply", merged, half_of);
  }
  return {merged, sequence};
}

// The cells of an RNN over several of them, each with its weights. Empty: it runs another cell.
std::vector<KerasLayer> CellsOf(const KerasLayer& layer) {
  std::vector<KerasLayer> cells;
  const nlohmann::json* stack = layer.type() == "RNN" ? Inner(layer, "cell", {"StackedRNNCells"}) : nullptr;
  if (stack == nullptr || !(*stack)["config"].contains("cells")) return cells;
  size_t first = 0;
  for (const nlohmann::json& json : (*stack)["config"]["cells"]) {
    const bool known = json.is_object() && json.contains("class_name") && json["class_name"].is_string() &&
                       json.contains("config") && json["config"].is_object();
    const std::string type = known ? json["class_name"].get<std::string>() : "";
    if (type != "LSTMCell" && type != "GRUCell" && type != "SimpleRNNCell") return {};
    const auto bias = json["config"].find("use_bias");
    const size_t count = bias != json["config"].end() && bias->is_boolean() && !bias->get<bool>() ? 2 : 3;
    const std::vector<Array>& all = layer.weights();
    const size_t from = std::min(first, all.size()), to = std::min(first + count, all.size());
    cells.emplace_back(type, json["config"], layer.version(),
                       std::vector<Array>(all.begin() + static_cast<std::ptrdiff_t>(from),
                                          all.begin() + static_cast<std::ptrdiff_t>(to)),
                       layer.graph());
    first += count;
  }
  return cells;
}

KerasValue AddCells(const KerasLayer& layer, const std::vector<KerasLayer>& cells, const KerasValue& in) {
  if (layer.Switch("go_backwards", false)) layer.Refuse("goes backwards over several cells; one cell is supported");
  KerasValue value = in;
  for (const KerasLayer& cell : cells) value.value = AddOne(cell, value, 0, false, "", CellPath::kTimesteps);
  return {value.value, layer.Switch("return_sequences", false)};
}

}  // namespace

bool IsKerasCell(absl::string_view type) {
  for (const absl::string_view each : {"LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU", "Bidirectional", "RNN"}) {
    if (type == each) return true;
  }
  return false;
}

KerasValue AddKerasCell(const KerasLayer& layer, const KerasValue& in, CellPath path) {
  if (!in.sequence) {
    layer.Refuse("runs over something else than the timesteps");
    return {};
  }
  if (layer.type() == "Bidirectional") return AddBidirectional(layer, in, path);
  const std::vector<KerasLayer> cells = CellsOf(layer);
  if (!cells.empty() && path == CellPath::kTimesteps) return AddCells(layer, cells, in);
  const bool wrapped = layer.type() == "RNN";
  const nlohmann::json* inner = wrapped ? Inner(layer, "cell", {"LSTMCell", "GRUCell", "SimpleRNNCell"}) : nullptr;
  if (wrapped && inner == nullptr) {
    layer.Refuse("runs other cells than LSTMCell, GRUCell and SimpleRNNCell");
    return {};
  }
  const bool backward = layer.Switch("go_backwards", false), sequence = layer.Switch("return_sequences", false);
  if (backward && sequence) {
    layer.Refuse("gives its timesteps in the order from last to first (go_backwards with return_sequences)");
    return {};
  }
  Value value = AddOne(wrapped ? LayerOf(layer, *inner) : layer, in, 0, backward, "", path);
  return {sequence ? value : LastOf(layer, value, backward, path), sequence};
}

}  // namespace rondo::convert
