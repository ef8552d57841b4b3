#include "model/convert/keras/keras_layer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

using Adder = KerasValue (*)(const KerasLayer&, const std::vector<KerasValue>&);

KerasValue AddDenseLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const Array kernel = layer.Weight(0);
  if (!layer.ok()) return {};
  if (kernel.rank() != 2) {
    layer.Refuse("has a kernel that is no matrix");
    return {};
  }
  Array bias = layer.Switch("use_bias", true) ? layer.Weight(1) : Array{};
  const Value value = AddDense(layer.graph(), layer.name(), in[0].value, Transposed(kernel), std::move(bias));
  return {AddActivation(layer.graph(), absl::StrCat(layer.name(), "_activation"), value,
                        layer.Function("activation", "linear")),
          in[0].sequence};
}

KerasValue AddEmbeddingLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const Array table = layer.Weight(0);
  if (!layer.ok()) return {};
  if (table.rank() == 2) layer.graph()->SetTokens(table.shape[0]);
  return {AddEmbedding(layer.graph(), layer.name(), in[0].value, table), true};
}

// [kernel, in / groups, filters] -> [filters, in / groups, kernel].
Array ConvWeight(const Array& kernel) {
  const int64_t width = kernel.shape[0], in = kernel.shape[1], filters = kernel.shape[2];
  Array weight = Filled({filters, in, width}, 0);
  for (int64_t i = 0; i < kernel.size(); ++i) {
    const int64_t at = i / (in * filters), channel = i / filters % in, filter = i % filters;
    weight.values[(filter * in + channel) * width + at] = kernel.values[i];
  }
  return weight;
}

KerasValue AddConvLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const Array kernel = layer.Weight(0);
  Array bias = layer.Switch("use_bias", true) ? layer.Weight(1) : Array{};
  if (!layer.ok()) return {};
  const std::string padding = layer.Text("padding", "valid");
  Window window;
  window.kernel = kernel.rank() == 3 ? kernel.shape[0] : 0;
  window.dilation = layer.One("dilation_rate", 1);
  window.groups = layer.One("groups", 1);
  if (!in[0].sequence || kernel.rank() != 3 || layer.Text("data_format", "channels_last") != "channels_last") {
    layer.Refuse("is no convolution along timesteps with the channels last");
  } else if (layer.One("strides", 1) != 1) {
    layer.Refuse("strides over timesteps; strides of 1 are supported");
  } else if (padding != "causal" && padding != "same" && padding != "valid") {
    layer.Refuse(absl::StrCat("has padding=", padding, "; causal, same and valid are supported"));
  }
  if (!layer.ok()) return {};
  const int64_t back = (window.kernel - 1) * window.dilation;
  const int64_t ahead = padding == "same" ? back - back / 2 : 0;
  if (padding == "valid" && back > 0) {
    layer.graph()->Note(absl::StrCat("layer '", layer.name(),
                                     "': padding is valid, so Keras gives nothing for the first ", back,
                                     " timesteps; the model gives numbers there, as if zeros had come before"));
  }
  const Value value =
      AddCausalConv(layer.graph(), layer.name(), in[0].value, ConvWeight(kernel), std::move(bias), window, ahead);
  return {AddActivation(layer.graph(), absl::StrCat(layer.name(), "_activation"), value,
                        layer.Function("activation", "linear")),
          true};
}

KerasValue AddPoolLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const int64_t kernel = layer.One("pool_size", 2), stride = layer.One("strides", kernel);
  const std::string padding = layer.Text("padding", "valid");
  if (!in[0].sequence || (padding != "same" && padding != "valid") || kernel < 1 || stride < 1) {
    layer.Refuse("is no pooling along timesteps with padding=same or valid");
    return {};
  }
  const std::string type = absl::StartsWith(layer.type(), "Max") ? "sequence_max_pool" : "sequence_average_pool";
  Element element;
  element.name = layer.name();
  element.type = type;
  element.of = {in[0].value.name};
  element.frame = in[0].value.frame;
  element.attributes = {{"kernel", kernel}, {"stride", stride}};
  // "same" pads at the end first, as many as a sequence whose length is a multiple of the stride needs.
  const int64_t total = padding == "same" ? std::max<int64_t>(0, kernel - stride) : 0;
  if (total > 0) element.attributes["padding"] = {total / 2, total - total / 2};
  if (padding == "same") element.attributes["partial"] = true;
  return {layer.graph()->Add(std::move(element)), true};
}

KerasValue AddGlobalPoolLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  if (!in[0].sequence) layer.Refuse("pools over something else than the timesteps");
  const char* type = absl::StartsWith(layer.type(), "GlobalMax") ? "sequence_max" : "sequence_mean";
  return {AddSequence(layer.graph(), layer.name(), type, in[0].value), false};
}

KerasValue AddBatchNormLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  size_t next = 0;
  const bool scaled = layer.Switch("scale", true), centered = layer.Switch("center", true);
  const Array gamma = scaled ? layer.Weight(next++) : Array{}, beta = centered ? layer.Weight(next++) : Array{};
  const Array mean = layer.Weight(next), variance = layer.Weight(next + 1);
  if (!layer.ok()) return {};
  const int64_t size = mean.size();
  if (variance.size() != size || (scaled && gamma.size() != size) || (centered && beta.size() != size)) {
    layer.Refuse("has statistics of different sizes");
    return {};
  }
  Array scale = Filled({size}, 0), shift = scale;
  const double epsilon = layer.Number("epsilon", 1e-3);
  for (int64_t i = 0; i < size; ++i) {
    scale.values[i] = (scaled ? gamma.values[i] : 1) / std::sqrt(variance.values[i] + epsilon);
    shift.values[i] = (centered ? beta.values[i] : 0) - mean.values[i] * scale.values[i];
  }
  return {AddScale(layer.graph(), layer.name(), in[0].value, std::move(scale), std::move(shift)), in[0].sequence};
}

KerasValue AddLayerNormLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  size_t next = 0;
  const int64_t size = in[0].value.frame.size();
  Array gamma = layer.Switch("scale", true) ? layer.Weight(next++) : Filled({size}, 1);
  Array beta = layer.Switch("center", true) ? layer.Weight(next) : Array{};
  return {AddLayerNorm(layer.graph(), layer.name(), in[0].value, std::move(gamma), std::move(beta),
                       layer.Number("epsilon", 1e-3)),
          in[0].sequence};
}

KerasValue AddActivationLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  Activation function = layer.type() == "Activation" ? layer.Function("activation", "linear") : Activation("relu");
  if (layer.type() == "LeakyReLU") {
    function = {{"function", "leaky_relu"}, {"alpha", layer.Number("alpha", layer.Number("negative_slope", 0.3))}};
  } else if (layer.type() == "ELU") {
    function = {{"function", "elu"}, {"alpha", layer.Number("alpha", 1)}};
  } else if (layer.type() == "Softmax") {
    function = "softmax";
  } else if (layer.type() == "ReLU" && layer.config().contains("max_value") &&
             layer.config()["max_value"].is_number()) {
    function = {{"function", "clip"}, {"alpha", 0}, {"beta", layer.Number("max_value", 6)}};
  }
  if (layer.type() == "ReLU" && (layer.Number("negative_slope", 0) != 0 || layer.Number("threshold", 0) != 0)) {
    layer.Refuse("has a negative_slope or threshold; LeakyReLU is supported");
  }
  return {AddActivation(layer.graph(), layer.name(), in[0].value, function), in[0].sequence};
}

KerasValue LeaveOut(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  layer.graph()->Note(absl::StrCat("layer '", layer.name(), "' (", layer.type(),
                                   "): left out; it does nothing in a trained network",
                                   layer.type() == "Masking" ? " without padding" : ""));
  return in[0];
}

KerasValue AddMergeLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const bool sequence = in[0].sequence;
  std::vector<Value> values;
  for (const KerasValue& each : in) {
    values.push_back(each.value);
    if (each.sequence != sequence) layer.Refuse("joins a sequence with what is no sequence");
  }
  if (layer.type() == "Concatenate") {
    const int64_t axis = static_cast<int64_t>(layer.Number("axis", -1));
    if (axis != -1 && axis != (sequence ? 2 : 1))
      layer.Refuse("joins along the timesteps; along the features is supported");
    return {AddConcat(layer.graph(), layer.name(), values), sequence};
  }
  const std::map<std::string, const char*> types = {
      {"Add", "add"}, {"Subtract", "subtract"}, {"Multiply", "multiply"}, {"Average", "add"}};
  Value value = values[0];
  for (size_t i = 1; i < values.size(); ++i) {
    value = AddArithmetic(layer.graph(), layer.name(), types.at(layer.type()), value, values[i]);
  }
  if (layer.type() == "Average") {
    const Value part = AddConstant(layer.graph(), absl::StrCat(layer.name(), "_part"),
                                   {{1}, {1.0 / static_cast<double>(values.size())}});
    value = AddArithmetic(layer.graph(), absl::StrCat(layer.name(), "_mean"), "multiply", value, part);
  }
  return {value, sequence};
}

KerasValue AddFlattenLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  if (in[0].sequence) layer.Refuse("makes one vector of all timesteps, so that the model would know no other length");
  return in[0];
}

KerasValue AddUnitNormLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  return {AddL2Norm(layer.graph(), layer.name(), in[0].value, 1e-6), in[0].sequence};
}

KerasValue AddTimeDistributed(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const auto inner = layer.config().find("layer");
  const bool known = inner != layer.config().end() && inner->is_object() && inner->contains("config") &&
                     inner->contains("class_name") && (*inner)["class_name"].is_string() &&
                     (*inner)["config"].is_object();
  const std::string type = known ? (*inner)["class_name"].get<std::string>() : "";
  const bool plain = type == "Dense" || type == "Activation" || type == "Dropout" || type == "BatchNormalization" ||
                     type == "LayerNormalization" || type == "Flatten";
  if (!known || !in[0].sequence || !plain) {
    layer.Refuse(absl::StrCat("applies ", type.empty() ? "no layer" : Quoted(type),
                              " at each timestep; Dense, Activation, Dropout, ",
                              "BatchNormalization, LayerNormalization and Flatten are supported"));
    return {};
  }
  const KerasLayer each(type, (*inner)["config"], layer.version(), layer.weights(), layer.graph());
  KerasValue value = AddKerasLayer(each, {{in[0].value, type != "Flatten"}});
  value.sequence = true;
  return value;
}

const std::map<std::string, Adder>& Adders() {
  static const auto& adders = *new std::map<std::string, Adder>{
      {"Dense", AddDenseLayer},
      {"Embedding", AddEmbeddingLayer},
      {"Conv1D", AddConvLayer},
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
      {"SpatialDropout1D", LeaveOut},
      {"GaussianNoise", LeaveOut},
      {"GaussianDropout", LeaveOut},
      {"ActivityRegularization", LeaveOut},
      {"Masking", LeaveOut},
      {"Concatenate", AddMergeLayer},
      {"Add", AddMergeLayer},
      {"Subtract", AddMergeLayer},
      {"Multiply", AddMergeLayer},
      {"Average", AddMergeLayer},
      {"Flatten", AddFlattenLayer},
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
  if (value.is_number_integer()) return value.get<int64_t>();
  Refuse(absl::StrCat("has ", key, " that is no whole number"));
  return otherwise;
}

Activation KerasLayer::Function(const char* key, const char* otherwise) const {
  const auto found = config_.find(key);
  std::string name = otherwise;
  if (found != config_.end() && found->is_string()) name = found->get<std::string>();
  if (found != config_.end() && found->is_object()) {
    const auto type = found->find("class_name");
    name = type != found->end() && type->is_string() ? type->get<std::string>() : "unknown";
  }
  const std::map<std::string, Activation> functions = {{"linear", "linear"},     {"relu", "relu"},
                                                       {"sigmoid", "sigmoid"},   {"tanh", "tanh"},
                                                       {"softmax", "softmax"},   {"elu", "elu"},
                                                       {"selu", "selu"},         {"softplus", "softplus"},
                                                       {"softsign", "softsign"}, {"gelu", "gelu"},
                                                       {"swish", "swish"},       {"silu", "swish"},
                                                       {"exponential", "exp"},   {"log_softmax", "log_softmax"}};
  if (name == "hard_sigmoid") {
    if (!absl::StartsWith(version_, "3")) return "hard_sigmoid";
    return {{"function", "hard_sigmoid"}, {"alpha", 1.0 / 6}, {"beta", 0.5}};
  }
  const auto function = functions.find(name);
  if (function != functions.end()) return function->second;
  Refuse(absl::StrCat("has the ", key, " ", Quoted(name), ", which is not supported"));
  return "linear";
}

Array KerasLayer::Weight(size_t i) const {
  if (i < weights_.size()) return weights_[i];
  Refuse(absl::StrCat("has ", weights_.size(), " weights; more were wanted"));
  return {};
}

KerasValue AddKerasLayer(const KerasLayer& layer, const std::vector<KerasValue>& inputs) {
  if (IsKerasCell(layer.type())) {
    if (inputs.size() == 1) return AddKerasCell(layer, inputs[0]);
    layer.Refuse("begins with a state that is computed from the data; zeros are supported");
    return {};
  }
  const auto adder = Adders().find(layer.type());
  if (adder == Adders().end()) {
    layer.Refuse("is a layer that is not supported");
    return {};
  }
  return adder->second(layer, inputs);
}

}  // namespace rondo::convert
