#ifndef RONDO_MODEL_CONVERT_KERAS_KERAS_LAYER_H_
#define RONDO_MODEL_CONVERT_KERAS_KERAS_LAYER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/convert/graph/layers.h"
#include "model/convert/keras/keras_file.h"
#include "nlohmann/json.hpp"

namespace rondo::convert {

// What a Keras layer gives: a value at each timestep, or one for the whole sequence (its last timestep's).
struct KerasValue {
  Value value;
  bool sequence = true;
  int64_t zeros_before = 0;  // timesteps of zeros before the first, which a convolution that follows goes over
  int64_t late = 0;          // timesteps at the beginning for which Keras gives nothing
};

// One layer of the configuration with its weights, while it is added to the graph.
class KerasLayer {
 public:
  // `config`: the layer's own. Borrows all.
  KerasLayer(std::string type, const nlohmann::json& config, absl::string_view version, std::vector<Array> weights,
             ElementGraph* graph)
      : type_(std::move(type)), config_(config), version_(version), weights_(std::move(weights)), graph_(*graph) {}

  const std::string& type() const { return type_; }
  ElementGraph* graph() const { return &graph_; }
  const nlohmann::json& config() const { return config_; }
  absl::string_view version() const { return version_; }
  std::string name() const { return Text("name", "layer"); }
  bool ok() const { return graph_.status().ok(); }
  void Refuse(absl::string_view message) const;

  std::string Text(const char* key, const char* otherwise) const;
  bool Switch(const char* key, bool otherwise) const;
  double Number(const char* key, double otherwise) const;
  // The one number of a list like strides=[1].
  int64_t One(const char* key, int64_t otherwise) const;
  // An activation of the layer in our words; Keras' hard_sigmoid depends on its version.
  Activation Function(const char* key, const char* otherwise) const;

  const std::vector<Array>& weights() const { return weights_; }
  // Empty after a refusal.
  Array Weight(size_t i) const;

 private:
  const std::string type_;
  const nlohmann::json& config_;
  const absl::string_view version_;
  const std::vector<Array> weights_;
  ElementGraph& graph_;
};

// Adds the layer after `inputs`. A layer that is not known is refused by its name and class.
KerasValue AddKerasLayer(const KerasLayer& layer, const std::vector<KerasValue>& inputs);
// Conv1D, DepthwiseConv1D and SeparableConv1D along the timesteps, and the ZeroPadding1D before one.
bool IsKerasConvolution(absl::string_view type);
KerasValue AddKerasConvolution(const KerasLayer& layer, const std::vector<KerasValue>& in);
KerasValue AddKerasPadding(const KerasLayer& layer, const std::vector<KerasValue>& in);
// LSTM, GRU, SimpleRNN, their CuDNN forms, and Bidirectional.
bool IsKerasCell(absl::string_view type);
KerasValue AddKerasCell(const KerasLayer& layer, const KerasValue& in);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_KERAS_KERAS_LAYER_H_
