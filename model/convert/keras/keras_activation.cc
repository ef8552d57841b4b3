// Keras' activations, of layers and as layers.

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/convert/keras/keras_layer.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

// The activation's name in the configuration.
std::string FunctionName(const KerasLayer& layer, const char* key, const char* otherwise) {
  const auto found = layer.config().find(key);
  if (found == layer.config().end() || !found->is_object()) return layer.Text(key, otherwise);
  const auto type = found->find("class_name");
  return type != found->end() && type->is_string() ? type->get<std::string>() : "unknown";
}

// Activations that are x times a function of x.
std::vector<Activation> GatesOf(const std::string& name) {
  if (name == "mish") return {"softplus", "tanh"};
  if (name == "hard_silu" || name == "hard_swish")
    return {{{"function", "hard_sigmoid"}, {"alpha", 1.0 / 6}, {"beta", 0.5}}};
  return {};
}

// Keras' softmax is over the features of each row within a timestep, ours over all numbers of the timestep.
Value AddFunction(const KerasLayer& layer, const std::string& name, const Value& value, const Activation& function) {
  const bool over_all = function == "softmax" || function == "log_softmax";
  if (over_all && value.frame.length > 1)
    layer.Refuse("is a softmax over rows within a timestep; over one vector is supported");
  return AddActivation(layer.graph(), name, value, function);
}

// A ReLU may be bent below 0 and cut at a largest value.
Value AddReluLayer(const KerasLayer& layer, const Value& in) {
  const double slope = layer.Number("negative_slope", 0);
  const bool cut = layer.config().contains("max_value") && layer.config()["max_value"].is_number();
  if (layer.Number("threshold", 0) != 0) layer.Refuse("has a threshold; 0 is supported");
  constexpr double kLeast = -1e30;  // bounds nothing
  const Activation bent = slope == 0 ? Activation("relu") : Activation{{"function", "leaky_relu"}, {"alpha", slope}};
  const Activation bounded = {
      {"function", "clip"}, {"alpha", slope == 0 ? 0 : kLeast}, {"beta", layer.Number("max_value", 0)}};
  if (cut && slope == 0) return AddActivation(layer.graph(), layer.name(), in, bounded);
  const Value value = AddActivation(layer.graph(), layer.name(), in, bent);
  return cut ? AddActivation(layer.graph(), absl::StrCat(layer.name(), "_cut"), value, bounded) : value;
}

}  // namespace

Activation KerasLayer::Function(const char* key, const char* otherwise) const {
  const std::string name = FunctionName(*this, key, otherwise);
  const std::map<std::string, Activation> functions = {
      {"linear", "linear"},
      {"relu", "relu"},
      {"sigmoid", "sigmoid"},
      {"tanh", "tanh"},
      {"softmax", "softmax"},
      {"elu", "elu"},
      {"selu", "selu"},
      {"softplus", "softplus"},
      {"softsign", "softsign"},
      {"gelu", "gelu"},
      {"swish", "swish"},
      {"silu", "swish"},
      {"relu6", {{"function", "clip"}, {"alpha", 0}, {"beta", 6}}},
      {"leaky_relu", {{"function", "leaky_relu"}, {"alpha", 0.2}}},
      {"hard_tanh", {{"function", "clip"}, {"alpha", -1}, {"beta", 1}}},
      {"exponential", "exp"},
      {"log_softmax", "log_softmax"}};
  if (name == "hard_sigmoid") {
    if (!absl::StartsWith(version_, "3")) return "hard_sigmoid";
    return {{"function", "hard_sigmoid"}, {"alpha", 1.0 / 6}, {"beta", 0.5}};
  }
  const auto function = functions.find(name);
  if (function != functions.end()) return function->second;
  Refuse(absl::StrCat("has the ", key, " ", Quoted(name), ", which is not supported"));
  return "linear";
}

Value KerasLayer::Activated(const char* key, absl::string_view suffix, const Value& value) const {
  const std::string own = absl::StrCat(name(), suffix);
  const std::vector<Activation> gates = GatesOf(FunctionName(*this, key, "linear"));
  if (gates.empty()) return AddFunction(*this, own, value, Function(key, "linear"));
  Value gate = value;
  for (const Activation& each : gates) gate = AddActivation(&graph_, own + "_gate", gate, each);
  return AddArithmetic(&graph_, own, "multiply", value, gate);
}

KerasValue AddActivationLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  if (layer.type() == "Activation") return {layer.Activated("activation", "", in[0].value), in[0].sequence};
  Activation function = "relu";
  if (layer.type() == "LeakyReLU") {
    function = {{"function", "leaky_relu"}, {"alpha", layer.Number("alpha", layer.Number("negative_slope", 0.3))}};
  } else if (layer.type() == "ELU") {
    function = {{"function", "elu"}, {"alpha", layer.Number("alpha", 1)}};
  } else if (layer.type() == "Softmax") {
    const int64_t axis = layer.One("axis", -1);
    if (axis != -1 && axis != (in[0].sequence ? 2 : 1)) layer.Refuse("is over another axis than the last");
    function = "softmax";
  } else if (layer.type() == "ReLU") {
    return {AddReluLayer(layer, in[0].value), in[0].sequence};
  }
  return {AddFunction(layer, layer.name(), in[0].value, function), in[0].sequence};
}

}  // namespace rondo::convert
