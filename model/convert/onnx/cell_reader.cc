// The attributes and weights of LSTM, GRU and RNN: https://onnx.ai/onnx/operators/onnx__LSTM.html, __GRU, __RNN.

#include "model/convert/onnx/cell_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

// ONNX's order of gates in ours: i o f c -> i f g o, z r h -> r z n.
const Sizes& GateOrder(absl::string_view type) {
  static const auto& lstm = *new Sizes{0, 2, 3, 1};
  static const auto& gru = *new Sizes{1, 0, 2};
  static const auto& rnn = *new Sizes{0};
  return type == "lstm" ? lstm : type == "gru" ? gru : rnn;
}

class CellReader {
 public:
  CellReader(OperatorCall& call, const std::string& type) : call_(call), type_(type) {}

  std::optional<OnnxCells> Read() {
    const bool quantized = call_.node().op == "DynamicQuantizeLSTM";
    ReadAttributes();
    if (!call_.ok()) return std::nullopt;
    weights_ = ReadWeights(1, quantized ? 8 : 0);
    recurrent_ = ReadWeights(2, quantized ? 10 : 0);
    biases_ = call_.ConstantInput(3, "biases").value_or(Array{});
    if (type_ == "lstm") peepholes_ = call_.ConstantInput(7, "peepholes").value_or(Array{});
    if (!call_.ok() || !CheckShapes(call_.Needed(0))) return std::nullopt;
    OnnxCells cells{type_, units_, layout_, {}};
    for (int64_t direction = 0; direction < directions_; ++direction) {
      cells.directions.push_back({WeightsOf(direction), Attributes(direction), IsReverse(direction)});
    }
    if (!call_.ok()) return std::nullopt;
    return cells;
  }

 private:
  void ReadAttributes() {
    const std::string direction = call_.Text("direction", "forward");
    directions_ = direction == "bidirectional" ? 2 : 1;
    reverse_ = direction == "reverse";
    if (directions_ == 1 && !reverse_ && direction != "forward")
      return call_.Refuse(absl::StrCat("has direction=", direction));
    layout_ = call_.Whole("layout", 0);
    if (layout_ != 0 && layout_ != 1)
      return call_.Refuse(absl::StrCat("has layout=", layout_, "; 0 and 1 are supported"));
    if (call_.Attribute("clip") != nullptr) return call_.Refuse("has clip; cells without it are supported");
    if (call_.Whole("input_forget", 0) != 0) return call_.Refuse("has input_forget=1; 0 is supported");
    units_ = call_.Whole("hidden_size", 0);
    call_.Attribute("activation_alpha");  // known, though read only for the functions that have one
    call_.Attribute("activation_beta");
  }

  // The weights of all directions, [directions, gates * units, width]; whole numbers with their scales become floats.
  Array ReadWeights(size_t input, size_t scale_input) {
    Array weights = call_.ConstantInput(input, "weights").value_or(Array{});
    if (!call_.ok() || scale_input == 0) return weights;
    const Array scale = call_.ConstantInput(scale_input, "scale").value_or(Array{}),
                zero = call_.ConstantInput(scale_input + 1, "zero point").value_or(Array{});
    if (!call_.ok() || weights.rank() != 3 || scale.empty()) {
      call_.Refuse("has no quantized weights of three dimensions with a scale");
      return {};
    }
    // [directions, width, gates * units], with a scale a direction or a column.
    const int64_t directions = weights.shape[0], width = weights.shape[1], columns = weights.shape[2];
    const bool each = scale.size() == directions * columns;
    if ((!each && scale.size() != directions) || (!zero.empty() && zero.size() != scale.size())) {
      call_.Refuse(absl::StrCat("has scales of ", ShapeText(scale.shape)));
      return {};
    }
    Array floats = Filled({directions, columns, width}, 0);
    for (int64_t i = 0; i < weights.size(); ++i) {
      const int64_t direction = i / (width * columns), row = i / columns % width, column = i % columns;
      const int64_t at = each ? direction * columns + column : direction;
      floats.values[(direction * columns + column) * width + row] =
          (weights.values[i] - (zero.empty() ? 0 : zero.values[at])) * scale.values[at];
    }
    return floats;
  }

  bool CheckShapes(const Traced& in) {
    if (units_ == 0 && recurrent_.rank() == 3) units_ = recurrent_.shape[2];
    const int64_t gates = static_cast<int64_t>(GateOrder(type_).size());
    constexpr int64_t kMostUnits = 65536;
    const int64_t width = in.rank() == 3 ? in.shape[2] : 0;
    if (in.constant() || in.rank() != 3 || units_ < 1 || units_ > kMostUnits) {
      call_.Refuse(absl::StrCat("has an input of ", ShapeText(in.shape), " and hidden_size=", units_));
      return false;
    }
    const auto check = [&](absl::string_view name, const Array& array, const Sizes& wanted, bool optional) {
      if ((array.empty() && optional) || array.shape == wanted) return true;
      call_.Refuse(absl::StrCat("has ", name, " ", ShapeText(array.shape), "; ", ShapeText(wanted), " was wanted"));
      return false;
    };
    return check("W", weights_, {directions_, gates * units_, width}, false) &&
           check("R", recurrent_, {directions_, gates * units_, units_}, false) &&
           check("B", biases_, {directions_, 2 * gates * units_}, true) &&
           check("P", peepholes_, {directions_, 3 * units_}, true);
  }

  bool IsReverse(int64_t direction) const { return reverse_ || direction == 1; }

  // The function of a gate, as ONNX names it. The parameters that are not the function's own are refused.
  Json ReadActivation(size_t place, absl::string_view otherwise) {
    const OnnxAttribute* found = call_.Attribute("activations");
    const std::vector<std::string> names = found == nullptr ? std::vector<std::string>{} : found->texts;
    const std::string name = absl::AsciiStrToLower(place < names.size() ? names[place] : std::string(otherwise));
    // Alphas and betas stand in the order of the functions that have them.
    size_t with_alpha = 0, with_beta = 0;
    for (size_t i = 0; i < place && i < names.size(); ++i) {
      const std::string before = absl::AsciiStrToLower(names[i]);
      with_alpha += before == "hardsigmoid" || before == "leakyrelu" || before == "elu" ? 1 : 0;
      with_beta += before == "hardsigmoid" ? 1 : 0;
    }
    const auto parameter = [&](const char* attribute, size_t at, double usual) {
      const OnnxAttribute* values = call_.Attribute(attribute);
      return values != nullptr && at < values->numbers.size() ? static_cast<double>(values->numbers[at]) : usual;
    };
    if (name == "sigmoid" || name == "tanh" || name == "relu" || name == "softsign" || name == "softplus") return name;
    if (name == "hardsigmoid") {
      const double alpha = parameter("activation_alpha", with_alpha, 0.2),
                   beta = parameter("activation_beta", with_beta, 0.5);
      const bool keras3 = std::abs(alpha - 1.0 / 6) < 1e-6;
      if ((std::abs(alpha - 0.2) < 1e-6 || keras3) && beta == 0.5) {
        if (!keras3) return "hard_sigmoid";
        return {{"function", "hard_sigmoid"}, {"alpha", 1.0 / 6}, {"beta", 0.5}};
      }
      call_.Refuse(absl::StrCat("has a HardSigmoid with alpha=", alpha, " and beta=", beta,
                                "; 0.2 or 1/6 and 0.5 are supported"));
      return "";
    }
    call_.Refuse(absl::StrCat("has the activation '", name.substr(0, 40),
                              "'; Sigmoid, HardSigmoid, Tanh, Relu, Softsign and Softplus are supported"));
    return "";
  }

  Json Attributes(int64_t direction) {
    Json attributes = Json::object();
    const auto set = [&](const char* key, const Json& function, const char* usual) {
      if (function != usual) attributes[key] = function;
    };
    const size_t first = static_cast<size_t>(direction) * (type_ == "lstm" ? 3 : type_ == "gru" ? 2 : 1);
    if (type_ == "rnn") {
      set("activation", ReadActivation(first, "tanh"), "tanh");
    } else {
      set("gate_activation", ReadActivation(first, "sigmoid"), "sigmoid");
      set("candidate_activation", ReadActivation(first + 1, "tanh"), "tanh");
    }
    if (type_ == "lstm") set("output_activation", ReadActivation(first + 2, "tanh"), "tanh");
    if (type_ == "gru") {
      attributes["reset"] = call_.Whole("linear_before_reset", 0) != 0 ? "after" : "before";
      attributes["update"] = "keep";
    }
    if (IsReverse(direction)) attributes["direction"] = "reverse";
    return attributes;
  }

  Array OfDirection(const Array& array, int64_t direction) const {
    if (array.empty()) return {};
    Array one = Rows(array, direction, direction + 1);
    one.shape.erase(one.shape.begin());
    return one;
  }

  CellWeights WeightsOf(int64_t direction) const {
    const Sizes& order = GateOrder(type_);
    CellWeights weights;
    weights.weight_ih = Regated(OfDirection(weights_, direction), order);
    weights.weight_hh = Regated(OfDirection(recurrent_, direction), order);
    if (const Array both = OfDirection(biases_, direction); !both.empty()) {
      const int64_t half = both.size() / 2;
      weights.bias_ih = Regated(Rows(both, 0, half), order);
      weights.bias_hh = Regated(Rows(both, half, 2 * half), order);
    }
    const Array peephole = OfDirection(peepholes_, direction);
    const bool has_peepholes =
        std::any_of(peephole.values.begin(), peephole.values.end(), [](double v) { return v != 0; });
    if (has_peepholes) weights.peephole = Regated(peephole, Sizes{0, 2, 1});  // i o f -> i f o
    return weights;
  }

  OperatorCall& call_;
  const std::string& type_;
  bool reverse_ = false;
  int64_t directions_ = 1, layout_ = 0, units_ = 0;
  Array weights_, recurrent_, biases_, peepholes_;
};

}  // namespace

std::optional<OnnxCells> ReadOnnxCells(OperatorCall& call, const std::string& type) {
  return CellReader(call, type).Read();
}

}  // namespace rondo::convert
