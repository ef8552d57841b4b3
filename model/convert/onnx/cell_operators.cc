// LSTM, GRU and RNN: https://onnx.ai/onnx/operators/onnx__LSTM.html, __GRU, __RNN.

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"

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

class CellOperator {
 public:
  CellOperator(OperatorCall& call, std::string type) : call_(call), type_(std::move(type)) {}

  void Run() {
    quantized_ = call_.node().op == "DynamicQuantizeLSTM";
    ReadAttributes();
    if (!call_.ok()) return;
    const Traced& in = call_.Needed(0);
    weights_ = ReadWeights(1, quantized_ ? 8 : 0);
    recurrent_ = ReadWeights(2, quantized_ ? 10 : 0);
    biases_ = call_.ConstantInput(3, "biases").value_or(Array{});
    if (type_ == "lstm") peepholes_ = call_.ConstantInput(7, "peepholes").value_or(Array{});
    if (!call_.ok() || !CheckShapes(in)) return;
    NoteLengths();
    const auto roles = RolesOf(in);
    if (!roles.has_value()) return;
    const Value value = call_.tracer().FrameOf(call_.named(), in, *roles);
    std::vector<int32_t> hidden, kept;
    for (int64_t direction = 0; direction < directions_; ++direction) {
      const Value cell = AddDirection(value, direction);
      if (!call_.ok()) return;
      hidden.push_back(call_.tracer().AddSource(cell));
      kept.push_back(call_.tracer().AddUnreadable(absl::StrCat("the cell state Y_c of ", call_.named())));
      PairStates(5, direction, hidden.back(), *roles);
      if (type_ == "lstm") PairStates(6, direction, kept.back(), *roles);
    }
    GiveSequence(hidden, *roles);
    GiveLast(hidden, *roles);
    GiveLast(kept, *roles);
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

  void NoteLengths() {
    if (call_.Input(4) != nullptr) {
      call_.graph()->Note(
          absl::StrCat(call_.named(), ": sequence_lens left out; a request's own length takes its place"));
    }
  }

  int64_t TimeAxis() const { return layout_ == 0 ? 0 : 1; }

  std::optional<AxisRoles> RolesOf(const Traced& in) {
    auto roles = call_.tracer().Roles(call_.named(), in, {2});
    if (!roles.has_value()) return std::nullopt;
    const int64_t axis = TimeAxis();
    if (roles->time_axis >= 0 && roles->first_time > 0) {
      call_.Refuse(absl::StrCat("begins at timestep ", roles->first_time,
                                " (after a slice, or a convolution without padding); a cell that begins at the first "
                                "timestep is supported"));
      return std::nullopt;
    }
    if (roles->time_axis < 0 && call_.tracer().timesteps() > 1) {
      call_.Refuse(absl::StrCat("runs one step over a sequence of ", call_.tracer().timesteps(),
                                " timesteps; a cell that goes through all of them is supported"));
      return std::nullopt;
    }
    const bool fits =
        roles->frame_axes == Sizes{2} && (roles->time_axis == axis || (roles->time_axis < 0 && in.shape[axis] == 1));
    if (fits) return roles;
    call_.Refuse(
        absl::StrCat("runs over axis ", axis, " of ", ShapeText(in.shape), ", which is not that of the timesteps"));
    return std::nullopt;
  }

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
    if (reverse_ || direction == 1) attributes["direction"] = "reverse";
    return attributes;
  }

  Array OfDirection(const Array& array, int64_t direction) const {
    if (array.empty()) return {};
    Array one = Rows(array, direction, direction + 1);
    one.shape.erase(one.shape.begin());
    return one;
  }

  // A state that is given as a constant; empty if it is zero or no constant.
  Array GivenState(size_t input, int64_t direction) {
    const Traced* state = call_.Input(input);
    if (state == nullptr || !state->constant()) return {};
    Array row = Filled({units_}, 0);
    bool zero = true;
    for (int64_t k = 0; k < units_; ++k) {
      for (int64_t sequence = 0; sequence < BatchOf(*state); ++sequence) {
        const double value = state->constants[StatePlace(*state, direction, sequence, k)];
        if (sequence > 0 && value != row.values[k]) call_.Refuse("begins each sequence of a batch with another state");
        row.values[k] = value;
      }
      zero = zero && row.values[k] == 0;
    }
    return zero ? Array{} : row;
  }

  int64_t BatchOf(const Traced& state) {
    const int64_t directions = state.rank() == 3 ? state.shape[layout_ == 0 ? 0 : 1] : 0;
    const bool fits = directions == directions_ && state.shape[2] == units_;
    if (!fits) call_.Refuse(absl::StrCat("begins with a state of ", ShapeText(state.shape)));
    return fits ? state.shape[layout_ == 0 ? 1 : 0] : 0;
  }

  int64_t StatePlace(const Traced& state, int64_t direction, int64_t sequence, int64_t unit) const {
    return layout_ == 0 ? (direction * state.shape[1] + sequence) * units_ + unit
                        : (sequence * state.shape[1] + direction) * units_ + unit;
  }

  Value AddDirection(const Value& value, int64_t direction) {
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
    weights.initial_h = GivenState(5, direction);
    if (type_ == "lstm") weights.initial_c = GivenState(6, direction);
    const Json attributes = Attributes(direction);
    if (!call_.ok()) return {};
    const std::string name = absl::StrCat(call_.element_name(), directions_ == 1 ? ""
                                                                : direction == 0 ? "_forward"
                                                                                 : "_backward");
    return AddCell(call_.graph(), name, type_, value, std::move(weights), attributes);
  }

  // A state that comes from an input of the graph: its numbers are those that the cell gives back.
  void PairStates(size_t input, int64_t direction, int32_t cell, const AxisRoles& roles) {
    const Traced* state = call_.Input(input);
    const bool anew = state == nullptr || state->constant();
    if (anew && call_.run().hands_states_on)
      call_.Refuse("begins anew at each call of one timestep; one whose state comes from an input, too, is supported");
    if (anew || BatchOf(*state) == 0) return;
    const int64_t last = roles.first_time + roles.times - 1;
    for (int64_t k = 0; k < units_; ++k) {
      const Ref ref = state->refs[StatePlace(*state, direction, 0, k)];
      if (ref.constant() || call_.run().inputs.count(ref.source) == 0) {
        return call_.Refuse(
            "begins with a state that is computed from the data; zeros, constants and inputs are supported");
      }
      call_.run().cell_states[{ref.source, ref.index}] = {cell, last, k};
    }
    if (reverse_ || direction == 1)
      call_.Refuse("goes backward from a state that comes from an input; --initializer gives it a value");
  }

  void GiveSequence(const std::vector<int32_t>& sources, const AxisRoles& roles) {
    const Traced& in = call_.Needed(0);
    const int64_t batch = in.shape[1 - TimeAxis()], times = in.shape[TimeAxis()];
    const Sizes shape =
        layout_ == 0 ? Sizes{times, directions_, batch, units_} : Sizes{batch, times, directions_, units_};
    if (!call_.CanHold(shape)) return;
    std::vector<Ref> refs;
    ForEachPlace(shape, [&](const Sizes& place) {
      const int64_t time = roles.first_time + place[TimeAxis()];
      refs.push_back({sources[place[layout_ == 0 ? 1 : 2]], static_cast<int32_t>(time), place[3], 0});
    });
    call_.Give(FromRefs(shape, std::move(refs)));
  }

  // The state after the sequence: a cell that runs backward ends at the first timestep.
  void GiveLast(const std::vector<int32_t>& sources, const AxisRoles& roles) {
    const Traced& in = call_.Needed(0);
    const int64_t batch = in.shape[1 - TimeAxis()], last = roles.first_time + roles.times - 1;
    const Sizes shape = layout_ == 0 ? Sizes{directions_, batch, units_} : Sizes{batch, directions_, units_};
    std::vector<Ref> refs;
    ForEachPlace(shape, [&](const Sizes& place) {
      const int64_t direction = place[layout_ == 0 ? 0 : 1];
      const bool backward = reverse_ || direction == 1;
      refs.push_back({sources[direction], static_cast<int32_t>(backward ? roles.first_time : last), place[2], 0});
    });
    call_.Give(FromRefs(shape, std::move(refs)));
  }

  OperatorCall& call_;
  const std::string type_;
  bool quantized_ = false, reverse_ = false;
  int64_t directions_ = 1, layout_ = 0, units_ = 0;
  Array weights_, recurrent_, biases_, peepholes_;
};

void RunLstm(OperatorCall& call) { CellOperator(call, "lstm").Run(); }
void RunGru(OperatorCall& call) { CellOperator(call, "gru").Run(); }
void RunRnn(OperatorCall& call) { CellOperator(call, "rnn").Run(); }

}  // namespace

const Operators& CellOperators() {
  static const auto& operators =
      *new Operators{{"DynamicQuantizeLSTM", RunLstm}, {"GRU", RunGru}, {"LSTM", RunLstm}, {"RNN", RunRnn}};
  return operators;
}

}  // namespace rondo::convert
