#include "model/convert/onnx/onnx_writer.h"

#include <cmath>
#include <functional>
#include <map>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/onnx_builder.h"

namespace rondo::convert {
namespace {

using Names = std::vector<std::string>;
using Sizes = std::vector<int64_t>;

// Every value is a tensor [timesteps, channels, length].
class OnnxWriter {
 public:
  explicit OnnxWriter(const ElementGraph& graph) : graph_(graph) {}

  absl::StatusOr<std::string> Write() {
    const bool tokens = graph_.tokens() > 0;
    values_["input"] = tokens ? "X" : out_.Add("Unsqueeze", {"X", out_.Wholes({2})});
    frames_["input"] = {tokens ? 1 : graph_.input_size(), 1};
    for (const Element& element : graph_.elements()) {
      const auto writer = Writers().find(element.type);
      if (writer == Writers().end()) {
        Refuse(element, absl::StrCat("is of the type ", element.type));
        return status_;
      }
      values_[element.name] = (this->*writer->second)(element);
      frames_[element.name] = element.frame;
      if (!status_.ok()) return status_;
    }
    const std::string rows = Flat(values_.at(graph_.output().name));
    return out_.Model(tokens, tokens ? Sizes{-1} : Sizes{-1, graph_.input_size()}, rows, graph_.output().frame.size());
  }

 private:
  using Writer = std::string (OnnxWriter::*)(const Element&);

  void Refuse(const Element& element, absl::string_view why) {
    if (!status_.ok()) return;
    status_ = absl::InvalidArgumentError(
        absl::StrCat("element '", element.name, "' ", why, ", which is not written as ONNX"));
  }

  static const std::map<std::string, Writer>& Writers() {
    static const auto& writers = *new std::map<std::string, Writer>{
        {"dense", &OnnxWriter::Dense},
        {"lstm", &OnnxWriter::Cell},
        {"gru", &OnnxWriter::Cell},
        {"rnn", &OnnxWriter::Cell},
        {"embedding", &OnnxWriter::Embedding},
        {"standardise", &OnnxWriter::Standardise},
        {"scale", &OnnxWriter::Scale},
        {"lag_window", &OnnxWriter::LagWindow},
        {"causal_conv1d", &OnnxWriter::CausalConv},
        {"conv1d", &OnnxWriter::Conv},
        {"max_pool", &OnnxWriter::Pool},
        {"average_pool", &OnnxWriter::Pool},
        {"sequence_max_pool", &OnnxWriter::SequencePool},
        {"sequence_average_pool", &OnnxWriter::SequencePool},
        {"mean", &OnnxWriter::Reduce},
        {"max", &OnnxWriter::Reduce},
        {"sum", &OnnxWriter::Reduce},
        {"pad", &OnnxWriter::Pad},
        {"layer_norm", &OnnxWriter::LayerNorm},
        {"l2_norm", &OnnxWriter::L2Norm},
        {"add", &OnnxWriter::Arithmetic},
        {"subtract", &OnnxWriter::Arithmetic},
        {"multiply", &OnnxWriter::Arithmetic},
        {"divide", &OnnxWriter::Arithmetic},
        {"constant", &OnnxWriter::Constant},
        {"concat", &OnnxWriter::Concat},
        {"slice", &OnnxWriter::Slice},
        {"reshape", &OnnxWriter::Reshape},
        {"transpose", &OnnxWriter::Transpose},
        {"delay", &OnnxWriter::Delay},
        {"activation", &OnnxWriter::ActivationElement},
        {"sequence_first", &OnnxWriter::Sequence},
        {"sequence_mean", &OnnxWriter::Sequence},
        {"sequence_max", &OnnxWriter::Sequence},
    };
    return writers;
  }

  const Array* Slot(const Element& element, absl::string_view name) const {
    for (const auto& [slot, array] : element.slots) {
      if (slot == name) return &array;
    }
    return nullptr;
  }

  std::string In(const Element& element, size_t i = 0) const { return values_.at(element.of[i]); }
  Frame InFrame(const Element& element, size_t i = 0) const { return frames_.at(element.of[i]); }
  std::string Flat(const std::string& value) { return out_.Add("Reshape", {value, out_.Wholes({0, -1})}); }
  std::string Column(const std::string& value) { return out_.Add("Reshape", {value, out_.Wholes({0, -1, 1})}); }
  std::string Framed(const std::string& value, const Frame& frame) {
    return out_.Add("Reshape", {value, out_.Wholes({0, frame.channels, frame.length})});
  }

  // The value of a function over a tensor. Softmax is over one axis: the last.
  std::string Apply(const Element& element, const Json& function, const std::string& in) {
    const std::string name = function.is_string() ? function.get<std::string>() : function.value("function", "");
    const double alpha = function.is_object() ? function.value("alpha", std::nan("")) : std::nan("");
    const double beta = function.is_object() ? function.value("beta", std::nan("")) : std::nan("");
    const auto given = [](double value, double otherwise) { return std::isnan(value) ? otherwise : value; };
    const auto scalar = [&](double value) { return out_.Floats({{}, {value}}); };
    const std::map<std::string, std::string> plain = {{"relu", "Relu"},
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
    if (name == "linear") return in;
    if (const auto found = plain.find(name); found != plain.end()) return out_.Add(found->second, {in});
    if (name == "softmax") return out_.Add("Softmax", {in}, {{"axis", int64_t{-1}}});
    if (name == "log_softmax") return out_.Add("LogSoftmax", {in}, {{"axis", int64_t{-1}}});
    if (name == "hard_sigmoid")
      return out_.Add("HardSigmoid", {in}, {{"alpha", given(alpha, 0.2)}, {"beta", given(beta, 0.5)}});
    if (name == "leaky_relu") return out_.Add("LeakyRelu", {in}, {{"alpha", given(alpha, 0.01)}});
    if (name == "elu") return out_.Add("Elu", {in}, {{"alpha", given(alpha, 1)}});
    if (name == "clip") return out_.Add("Clip", {in, scalar(given(alpha, 0)), scalar(given(beta, 0))});
    if (name == "log") return out_.Add("Log", {out_.Add("Add", {in, scalar(given(alpha, 0))})});
    if (name == "square") return out_.Add("Pow", {in, scalar(2)});
    if (name == "swish") return out_.Add("Mul", {in, out_.Add("Sigmoid", {in})});
    if (name == "gelu") {
      const std::string error = out_.Add("Erf", {out_.Add("Mul", {in, scalar(std::sqrt(0.5))})});
      return out_.Add("Mul", {out_.Add("Mul", {in, scalar(0.5)}), out_.Add("Add", {error, scalar(1)})});
    }
    Refuse(element, absl::StrCat("has the function ", name));
    return in;
  }

  std::string Activated(const Element& element, const std::string& in) {
    return Apply(element, element.attributes.value("activation", Json("linear")), in);
  }

  std::string Dense(const Element& element) {
    Names inputs = {Flat(In(element)), out_.Floats(*Slot(element, "weight"))};
    if (const Array* bias = Slot(element, "bias")) inputs.push_back(out_.Floats(*bias));
    const std::string product = out_.Add("Gemm", inputs, {{"transB", int64_t{1}}});
    return out_.Add("Unsqueeze", {Activated(element, product), out_.Wholes({2})});
  }

  // Our gates in ONNX's order: i f g o -> i o f c, r z n -> z r h.
  static Sizes GateOrder(const std::string& type) {
    return type == "lstm" ? Sizes{0, 3, 1, 2} : type == "gru" ? Sizes{1, 0, 2} : Sizes{0};
  }

  // An array with an axis for the one direction. The update gate of a GRU that replaces is turned round, z to 1 - z.
  Array ForCell(const Element& element, const Array& array) const {
    Array result = Regated(array, GateOrder(element.type));
    const bool turned = element.type == "gru" && element.attributes.value("update", "keep") == "replace";
    for (size_t i = 0; turned && i < result.values.size() / 3; ++i) result.values[i] = -result.values[i];
    result.shape.insert(result.shape.begin(), 1);
    return result;
  }

  // The names of the cell's functions and the parameters of those that have some.
  void AddFunctions(const Element& element, OnnxAttributes* attributes) {
    Names names;
    std::vector<double> alphas, betas;
    const auto add = [&](const char* key, const char* usual) {
      const Json function = element.attributes.value(key, Json(usual));
      const std::string name = function.is_string() ? function.get<std::string>() : function.value("function", "");
      const std::map<std::string, std::string> known = {{"sigmoid", "Sigmoid"},
                                                        {"tanh", "Tanh"},
                                                        {"relu", "Relu"},
                                                        {"hard_sigmoid", "HardSigmoid"},
                                                        {"softsign", "Softsign"}};
      const auto found = known.find(name);
      if (found == known.end()) {
        Refuse(element, absl::StrCat("has the function ", name));
        return;
      }
      names.push_back(found->second);
      if (name != "hard_sigmoid") return;
      alphas.push_back(function.is_object() ? function.value("alpha", 0.2) : 0.2);
      betas.push_back(function.is_object() ? function.value("beta", 0.5) : 0.5);
    };
    if (element.type == "rnn") {
      add("activation", "tanh");
    } else {
      add("gate_activation", "sigmoid");
      add("candidate_activation", "tanh");
      if (element.type == "lstm") add("output_activation", "tanh");
    }
    attributes->emplace_back("activations", names);
    if (!alphas.empty()) attributes->emplace_back("activation_alpha", alphas);
    if (!betas.empty()) attributes->emplace_back("activation_beta", betas);
  }

  std::string Cell(const Element& element) {
    const int64_t units = element.frame.channels;
    const auto state = [&](absl::string_view slot) {
      const Array* array = Slot(element, slot);
      return array == nullptr ? std::string() : out_.Floats(Reshaped(*array, {1, 1, units}));
    };
    Names inputs = {out_.Add("Reshape", {In(element), out_.Wholes({0, 1, -1})}),
                    out_.Floats(ForCell(element, *Slot(element, "weight_ih"))),
                    out_.Floats(ForCell(element, *Slot(element, "weight_hh"))), ""};
    if (Slot(element, "bias_ih") != nullptr) {
      Array biases = ForCell(element, *Slot(element, "bias_ih"));
      const Array recurrent = ForCell(element, *Slot(element, "bias_hh"));
      biases.values.insert(biases.values.end(), recurrent.values.begin(), recurrent.values.end());
      biases.shape[1] *= 2;
      inputs[3] = out_.Floats(biases);
    }
    inputs.insert(inputs.end(), {"", state("initial_h")});
    if (element.type == "lstm") inputs.push_back(state("initial_c"));
    if (const Array* peephole = Slot(element, "peephole")) {
      inputs.push_back(out_.Floats(Reshaped(Regated(*peephole, Sizes{0, 2, 1}), {1, 3 * units})));
    }
    OnnxAttributes attributes = {{"hidden_size", units},
                                 {"direction", element.attributes.value("direction", "forward")}};
    AddFunctions(element, &attributes);
    if (element.type == "gru") {
      attributes.emplace_back("linear_before_reset",
                              int64_t{element.attributes.value("reset", "after") == "after" ? 1 : 0});
    }
    const std::string op = element.type == "lstm" ? "LSTM" : element.type == "gru" ? "GRU" : "RNN";
    return Column(out_.Add(op, inputs, attributes));
  }

  std::string Embedding(const Element& element) {
    return out_.Add("Unsqueeze",
                    {out_.Add("Gather", {out_.Floats(*Slot(element, "weight")), In(element)}), out_.Wholes({2})});
  }

  std::string Standardise(const Element& element) {
    const std::string centred = out_.Add("Sub", {Flat(In(element)), out_.Floats(*Slot(element, "mean"))});
    return Column(out_.Add("Div", {centred, out_.Floats(*Slot(element, "deviation"))}));
  }

  std::string Scale(const Element& element) {
    const Sizes shape = {element.frame.channels, 1};
    const std::string scaled = out_.Add("Mul", {In(element), out_.Floats(Reshaped(*Slot(element, "weight"), shape))});
    return out_.Add("Add", {scaled, out_.Floats(Reshaped(*Slot(element, "bias"), shape))});
  }

  // [timesteps, channels, length] as [1, channels * length, timesteps], and back.
  std::string AlongTime(const std::string& value) {
    return out_.Add("Transpose", {Column(value)}, {{"perm", Sizes{2, 1, 0}}});
  }
  std::string BackFromTime(const std::string& value) {
    return out_.Add("Transpose", {value}, {{"perm", Sizes{2, 1, 0}}});
  }
  std::string Padded(const std::string& value, int64_t left, int64_t right, const std::string& mode = "constant") {
    if (left == 0 && right == 0) return value;
    return out_.Add("Pad", {value, out_.Wholes({0, 0, left, 0, 0, right})}, {{"mode", mode}});
  }

  // The last values as a convolution whose kernels are the rows of the identity.
  std::string LagWindow(const Element& element) {
    const int64_t length = element.frame.size();
    const bool minus_newest = element.attributes.value("minus_newest", false);
    Array identity = Filled({length, 1, length}, 0);
    for (int64_t i = 0; i < length; ++i) identity.values[i * length + i] = 1;
    const std::string padded = Padded(AlongTime(In(element)), length - 1, 0, minus_newest ? "edge" : "constant");
    const std::string window = BackFromTime(out_.Add("Conv", {padded, out_.Floats(identity)}));
    return minus_newest ? out_.Add("Sub", {window, In(element)}) : window;
  }

  Names ConvInputs(const Element& element, const std::string& in) {
    Names inputs = {in, out_.Floats(*Slot(element, "weight"))};
    if (const Array* bias = Slot(element, "bias")) inputs.push_back(out_.Floats(*bias));
    return inputs;
  }

  static OnnxAttributes ConvAttributes(const Element& element) {
    return {{"dilations", Sizes{element.attributes.value("dilation", int64_t{1})}},
            {"strides", Sizes{element.attributes.value("stride", int64_t{1})}},
            {"group", element.attributes.value("groups", int64_t{1})},
            {"pads", element.attributes.value("padding", Sizes{0, 0})}};
  }

  std::string CausalConv(const Element& element) {
    const int64_t ahead = element.attributes.value("ahead", int64_t{0});
    const int64_t back =
        (element.attributes.value("kernel", int64_t{1}) - 1) * element.attributes.value("dilation", int64_t{1});
    const std::string padded = Padded(AlongTime(In(element)), back - ahead, ahead);
    const std::string product = out_.Add("Conv", ConvInputs(element, padded), ConvAttributes(element));
    return Activated(element, BackFromTime(product));
  }

  std::string Conv(const Element& element) {
    return Activated(element, out_.Add("Conv", ConvInputs(element, In(element)), ConvAttributes(element)));
  }

  std::string AddPool(const Element& element, const std::string& in, bool average) {
    const int64_t kernel = element.attributes.value("kernel", int64_t{1});
    OnnxAttributes attributes = {{"kernel_shape", Sizes{kernel}},
                                 {"strides", Sizes{element.attributes.value("stride", kernel)}},
                                 {"pads", element.attributes.value("padding", Sizes{0, 0})},
                                 {"ceil_mode", int64_t{element.attributes.value("partial", false) ? 1 : 0}}};
    if (average)
      attributes.emplace_back("count_include_pad", int64_t{element.attributes.value("count_padding", false) ? 1 : 0});
    return out_.Add(average ? "AveragePool" : "MaxPool", {in}, attributes);
  }

  std::string Pool(const Element& element) { return AddPool(element, In(element), element.type == "average_pool"); }
  std::string SequencePool(const Element& element) {
    const std::string pooled = AddPool(element, AlongTime(In(element)), element.type == "sequence_average_pool");
    return Framed(BackFromTime(pooled), element.frame);
  }

  std::string Reduce(const Element& element) {
    const OnnxAttributes keep = {{"keepdims", int64_t{1}}};
    if (element.type == "sum") return out_.Add("ReduceSum", {In(element), out_.Wholes({2})}, keep);
    return out_.Add(element.type == "mean" ? "ReduceMean" : "ReduceMax", {In(element)},
                    {{"axes", Sizes{2}}, {"keepdims", int64_t{1}}});
  }

  std::string Pad(const Element& element) {
    const std::string mode = element.attributes.value("mode", "zero");
    return Padded(In(element), element.attributes.value("left", int64_t{0}),
                  element.attributes.value("right", int64_t{0}), mode == "zero" ? "constant" : mode);
  }

  std::string LayerNorm(const Element& element) {
    return Column(
        out_.Add("LayerNormalization",
                 {Flat(In(element)), out_.Floats(*Slot(element, "weight")), out_.Floats(*Slot(element, "bias"))},
                 {{"axis", int64_t{-1}}, {"epsilon", element.attributes.value("epsilon", 1e-5)}}));
  }

  std::string L2Norm(const Element& element) {
    const std::string flat = Flat(In(element));
    std::string length = out_.Add("ReduceL2", {flat}, {{"axes", Sizes{-1}}, {"keepdims", int64_t{1}}});
    const double epsilon = element.attributes.value("epsilon", 0.0);
    if (epsilon > 0) length = out_.Add("Clip", {length, out_.Floats({{}, {epsilon}})});
    return Column(out_.Add("Div", {flat, length}));
  }

  std::string Arithmetic(const Element& element) {
    const Frame a = InFrame(element, 0), b = InFrame(element, 1);
    std::string right = In(element, 1);
    const bool alike = a.size() == b.size() && a.channels != b.channels;
    if (alike) {  // of another frame, in the same flat order
      right = Framed(right, a);
    } else if (b.size() == a.channels && b.length != 1) {
      right = Column(right);
    }
    const std::map<std::string, const char*> ops = {
        {"add", "Add"}, {"subtract", "Sub"}, {"multiply", "Mul"}, {"divide", "Div"}};
    return out_.Add(ops.at(element.type), {In(element, 0), right});
  }

  std::string Constant(const Element& element) {
    return out_.Floats(Reshaped(*Slot(element, "value"), {1, element.frame.size(), 1}));
  }

  // The value of one timestep, repeated for each of `like`.
  std::string ForEachTimestep(const std::string& value, const Frame& frame, const std::string& like) {
    const std::string times = out_.Add("Shape", {like}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
    const std::string shape =
        out_.Add("Concat", {times, out_.Wholes({frame.channels, frame.length})}, {{"axis", int64_t{0}}});
    return out_.Add("Expand", {value, shape});
  }

  std::string Concat(const Element& element) {
    Names parts;
    for (size_t i = 0; i < element.of.size(); ++i) {
      const Element* before = graph_.Find(element.of[i]);
      const bool constant = before != nullptr && before->type == "constant";
      parts.push_back(constant ? ForEachTimestep(In(element, i), before->frame, In(element, i == 0 ? 1 : 0))
                               : In(element, i));
    }
    return out_.Add("Concat", parts,
                    {{"axis", int64_t{element.attributes.value("axis", "channels") == "length" ? 2 : 1}}});
  }

  std::string Slice(const Element& element) {
    const auto whole = [&](const char* key, int64_t otherwise) {
      return out_.Wholes({element.attributes.value(key, otherwise)});
    };
    const int64_t axis = element.attributes.value("axis", "channels") == "length" ? 2 : 1;
    return out_.Add("Slice", {In(element), whole("from", 0), whole("to", 0), out_.Wholes({axis}), whole("step", 1)});
  }

  std::string Reshape(const Element& element) { return Framed(In(element), element.frame); }
  std::string Transpose(const Element& element) {
    return out_.Add("Transpose", {In(element)}, {{"perm", Sizes{0, 2, 1}}});
  }

  std::string Delay(const Element& element) {
    const int64_t steps = element.attributes.value("steps", int64_t{1});
    const std::string padded =
        out_.Add("Pad", {In(element), out_.Wholes({steps, 0, 0, 0, 0, 0})}, {{"mode", "constant"}});
    return out_.Add("Slice", {padded, out_.Wholes({0}), out_.Wholes({-steps}), out_.Wholes({0})});
  }

  std::string ActivationElement(const Element& element) {
    const std::string function = element.attributes.value("function", "");
    if (function != "softmax" && function != "log_softmax") return Apply(element, element.attributes, In(element));
    return Framed(Apply(element, element.attributes, Flat(In(element))), element.frame);
  }

  std::string Sequence(const Element& element) {
    std::string one;
    if (element.type == "sequence_first") {
      one = out_.Add("Slice", {In(element), out_.Wholes({0}), out_.Wholes({1}), out_.Wholes({0})});
    } else {
      one = out_.Add(element.type == "sequence_mean" ? "ReduceMean" : "ReduceMax", {In(element)},
                     {{"axes", Sizes{0}}, {"keepdims", int64_t{1}}});
    }
    return ForEachTimestep(one, element.frame, In(element));
  }

  const ElementGraph& graph_;
  OnnxBuilder out_;
  std::map<std::string, std::string> values_;
  std::map<std::string, Frame> frames_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<std::string> WriteOnnx(const ElementGraph& graph) { return OnnxWriter(graph).Write(); }

}  // namespace rondo::convert
