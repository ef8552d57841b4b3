#include "model/convert/keras/keras_layer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

using LayerAdder = KerasValue (*)(const KerasLayer&, const std::vector<KerasValue>&);

KerasValue AddDenseLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const Array kernel = layer.Weight(0);
  if (!layer.ok()) return {};
  if (kernel.rank() != 2) {
    layer.Refuse("has a kernel that is no matrix");
    return {};
  }
  if (in[0].window > 0) return AddDenseOfWindow(layer, in[0]);
  Array bias = layer.Switch("use_bias", true) ? layer.Weight(1) : Array{};
  const Value value = AddDense(layer.graph(), layer.name(), in[0].value, Transposed(kernel), std::move(bias));
  return {layer.Activated("activation", "_activation", value), in[0].sequence};
}

KerasValue AddEmbeddingLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const Array table = layer.Weight(0);
  if (!layer.ok()) return {};
  if (table.rank() == 2) layer.graph()->SetTokens(table.shape[0]);
  if (layer.Switch("mask_zero", false)) {
    layer.graph()->Note(absl::StrCat("layer '", layer.name(),
                                     "' masks token 0 (mask_zero): left out; sequences are sent without padding"));
  }
  return {AddEmbedding(layer.graph(), layer.name(), in[0].value, table), true};
}

// relu(x) - slope * relu(-x), with a slope a feature.
KerasValue AddPReluLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  Array slope = layer.Weight(0);
  const int64_t size = in[0].value.frame.size();
  if (!layer.ok()) return {};
  if (slope.size() != size || in[0].value.frame.length > 1) {
    layer.Refuse("has slopes that differ between timesteps, or of rows within one; shared_axes=[1] is supported");
    return {};
  }
  for (double& value : slope.values) value = -value;
  slope.shape = {size};
  ElementGraph* graph = layer.graph();
  const Value above = AddActivation(graph, absl::StrCat(layer.name(), "_above"), in[0].value, "relu");
  const Value negated = AddActivation(graph, absl::StrCat(layer.name(), "_negated"), in[0].value, "negate");
  const Value below = AddActivation(graph, absl::StrCat(layer.name(), "_below"), negated, "relu");
  const Value bent = AddScale(graph, absl::StrCat(layer.name(), "_bent"), below, std::move(slope), Filled({size}, 0));
  return {AddArithmetic(graph, layer.name(), "add", above, bent), in[0].sequence};
}

}  // namespace

KerasValue AddKerasNumber(const KerasLayer& layer, const std::vector<KerasValue>& in, double number,
                          bool number_first) {
  const std::map<std::string, const char*> types = {{"Add", "add"},
                                                    {"Subtract", "subtract"},
                                                    {"Multiply", "multiply"},
                                                    {"Divide", "divide"},
                                                    {"TrueDivide", "divide"}};
  const auto type = types.find(layer.type());
  const bool swaps = type != types.end() && (type->first == "Add" || type->first == "Multiply");
  if (type == types.end()) {
    layer.Refuse("is a layer that is not supported");
    return {};
  }
  if (in.size() != 1 || in[0].window > 0 || (number_first && !swaps)) {
    layer.Refuse(
        "is an operation with a number that is not supported; Add, Multiply, and Subtract and Divide by a number are");
    return {};
  }
  const Value by = AddConstant(layer.graph(), absl::StrCat(layer.name(), "_by"), {{1}, {number}});
  KerasValue value = in[0];
  value.value = AddArithmetic(layer.graph(), layer.name(), type->second, in[0].value, by);
  return value;
}

namespace {

KerasValue LeaveOut(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  layer.graph()->Note(absl::StrCat("layer '", layer.name(), "' (", layer.type(),
                                   "): left out; it does nothing in a trained network",
                                   layer.type() == "Masking" ? " without padding" : ""));
  return in[0];
}

KerasValue AddMergeLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const bool sequence = in[0].sequence;
  std::vector<Value> values;
  if (in.size() < 2) layer.Refuse("joins one value; two or more are supported");
  for (const KerasValue& each : in) {
    values.push_back(each.value);
    if (each.sequence != sequence) layer.Refuse("joins a sequence with what is no sequence");
  }
  if (layer.type() == "Concatenate") {
    const int64_t axis = static_cast<int64_t>(layer.Number("axis", -1));
    const int64_t last = 1 + (sequence ? 1 : 0) + (values[0].frame.length > 1 ? 1 : 0);
    if (axis != -1 && axis != last)
      layer.Refuse("joins along another axis than the last, which is that of the features");
    return {AddConcat(layer.graph(), layer.name(), values), sequence};
  }
  const std::map<std::string, const char*> types = {
      {"Add", "add"}, {"Subtract", "subtract"}, {"Multiply", "multiply"}, {"Average", "add"}};
  Value value = values[0];
  for (size_t i = 1; i < values.size(); ++i) {
    Value other = values[i];
    if (value.frame.size() < other.frame.size() && layer.type() != "Subtract") std::swap(value, other);
    // Rows of one number, or one row, would be taken for a number a feature.
    const bool alike = other.frame.channels == value.frame.channels && other.frame.length == value.frame.length;
    const bool spreads = other.frame.length == 1 && other.frame.channels == value.frame.channels;
    if (!alike && !spreads && other.frame.size() != 1)
      layer.Refuse(
          "combines values of different shapes; of one shape, a vector of features, or one number is supported");
    value = AddArithmetic(layer.graph(), layer.name(), types.at(layer.type()), value, other);
  }
  if (layer.type() == "Average") {
    const Value part = AddConstant(layer.graph(), absl::StrCat(layer.name(), "_part"),
                                   {{1}, {1.0 / static_cast<double>(values.size())}});
    value = AddArithmetic(layer.graph(), absl::StrCat(layer.name(), "_mean"), "multiply", value, part);
  }
  return {value, sequence};
}

const std::map<std::string, LayerAdder>& LayerAdders() {
  static const auto& adders = *new std::map<std::string, LayerAdder>{
      {"Dense", AddDenseLayer},
      {"Embedding", AddEmbeddingLayer},
      {"Conv1D", AddKerasConvolution},
      {"DepthwiseConv1D", AddKerasConvolution},
      {"SeparableConv1D", AddKerasConvolution},
      {"ZeroPadding1D", AddKerasPadding},
      {"Normalization", AddNormalizationLayer},
      {"Rescaling", AddRescalingLayer},
      {"PReLU", AddPReluLayer},
      {"MaxPooling1D", AddPoolLayer},
      {"AveragePooling1D", AddPoolLayer},
      {"GlobalMaxPooling1D", AddGlobalPoolLayer},
      {"GlobalAveragePooling1D", AddGlobalPoolLayer},
      {"BatchNormalization", AddBatchNormLayer},
      {"LayerNormalization", AddLayerNormLayer},
      {"Activation", AddActivationLayer},
      {"ReLU", AddActivationLayer},
      {"LeakyReLU", AddActivationLayer},
      {"ELU", AddActivationLayer},
      {"Softmax", AddActivationLayer},
      {"Dropout", LeaveOut},
      {"Identity", LeaveOut},
      {"SpatialDropout1D", LeaveOut},
      {"GaussianNoise", LeaveOut},
      {"GaussianDropout", LeaveOut},
      {"AlphaDropout", LeaveOut},
      {"ActivityRegularization", LeaveOut},
      {"Masking", LeaveOut},
      {"Concatenate", AddMergeLayer},
      {"Add", AddMergeLayer},
      {"Subtract", AddMergeLayer},
      {"Multiply", AddMergeLayer},
      {"Average", AddMergeLayer},
      {"Flatten", AddFlattenLayer},
      {"Reshape", AddReshapeLayer},
      {"UnitNormalization", AddUnitNormLayer},
      {"TimeDistributed", AddTimeDistributed},
  };
  return adders;
}

}  // namespace

void KerasLayer::Refuse(absl::string_view message) const {
  graph_.Refuse(absl::StrCat("layer ", Quoted(name()), " (", type_.substr(0, 60), ") ", message));
}

std::string KerasLayer::Text(const char* key, const char* otherwise) const {
  const auto found = config_.find(key);
  return found != config_.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

bool KerasLayer::Switch(const char* key, bool otherwise) const {
  const auto found = config_.find(key);
  return found != config_.end() && found->is_boolean() ? found->get<bool>() : otherwise;
}

double KerasLayer::Number(const char* key, double otherwise) const {
  const auto found = config_.find(key);
  return found != config_.end() && found->is_number() ? found->get<double>() : otherwise;
}

int64_t KerasLayer::One(const char* key, int64_t otherwise) const {
  const auto found = config_.find(key);
  if (found == config_.end() || found->is_null()) return otherwise;
  const nlohmann::json& value = found->is_array() && found->size() == 1 ? (*found)[0] : *found;
  constexpr int64_t kMost = int64_t{1} << 30;
  const int64_t number = value.is_number_integer() ? value.get<int64_t>() : kMost + 1;
  if (number >= -kMost && number <= kMost) return number;
  Refuse(absl::StrCat("has ", key, " that is no whole number up to ", kMost));
  return otherwise;
}

Array KerasLayer::Weight(size_t i) const {
  if (i < weights_.size()) return weights_[i];
  Refuse(absl::StrCat("has ", weights_.size(), " weights; more were wanted"));
  return {};
}

namespace {

// A layer whose answers depend on where a sequence begins; cells can begin late.
bool BeginsSomewhere(const KerasLayer& layer) {
  if (IsKerasConvolution(layer.type())) return layer.Text("padding", "valid") != "valid";
  return layer.type() == "ZeroPadding1D" || absl::StrContains(layer.type(), "Pooling");
}

KerasValue AddToValues(const KerasLayer& layer, const std::vector<KerasValue>& inputs) {
  if (IsKerasCell(layer.type())) {
    if (inputs.size() == 1) return AddKerasCell(layer, inputs[0]);
    layer.Refuse("begins with a state that is computed from the data; zeros are supported");
    return {};
  }
  const auto adder = LayerAdders().find(layer.type());
  if (adder == LayerAdders().end()) {
    layer.Refuse("is a layer that is not supported");
    return {};
  }
  return adder->second(layer, inputs);
}

// Keras 1 had other names for what a layer is made with, and LSTM and GRU had their weights gate by gate.
bool IsOfKeras1(const KerasLayer& layer) {
  for (const char* key : {"inner_activation", "border_mode", "pool_length", "gamma_init"}) {
    if (layer.config().contains(key)) return true;
  }
  return false;
}

}  // namespace

void CheckKerasFormat(const KerasLayer& layer) {
  const std::string format = layer.Text("data_format", "channels_last");
  if (format != "channels_last") layer.Refuse(absl::StrCat("has data_format=", format, "; channels_last is supported"));
}

KerasValue AddKerasLayer(const KerasLayer& layer, const std::vector<KerasValue>& inputs) {
  CheckKerasFormat(layer);
  if (IsOfKeras1(layer)) {
    layer.Refuse("is of Keras 1; a file that Keras 2 or 3 saved is supported, and Keras 2 loads those of Keras 1");
    return {};
  }
  int64_t late = 0;
  for (const KerasValue& input : inputs) {
    late = std::max(late, input.late);
    if (input.zeros_before != 0 && !IsKerasConvolution(layer.type()))
      layer.Refuse("follows a padding of timesteps; a convolution with padding=valid is supported there");
  }
  if (late > 0 && BeginsSomewhere(layer)) {
    layer.Refuse(absl::StrCat("begins ", late,
                              " timesteps late, after a convolution with padding=valid; causal and "
                              "same are supported before it"));
  }
  const bool passes = layer.type() == "Dense" || absl::StrContains(layer.type(), "Dropout");
  if (!inputs.empty() && inputs[0].window > 0 && !passes)
    layer.Refuse("follows a Flatten of all timesteps; a Dense layer is supported there");
  if (!layer.ok()) return {};
  KerasValue value = AddToValues(layer, inputs);
  // A layer that hands its input through has the input's lateness already.
  const int64_t own_late = IsKerasConvolution(layer.type()) ? value.late : 0;
  if (value.sequence) value.late = late + own_late;
  const bool pools = absl::StrContains(layer.type(), "Pooling");
  if (value.sequence && !pools) value.timesteps = inputs[0].timesteps;
  return value;
}

}  // namespace rondo::convert
