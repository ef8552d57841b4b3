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
  int64_t timesteps = 0;     // that Keras takes; 0: any number
  int64_t window = 0;        // > 0: all of so many timesteps as one vector, which a Dense layer has to follow
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
  // The value after the activation under the key, which may be one that is made of several elements.
  Value Activated(const char* key, absl::string_view suffix, const Value& value) const;

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

// Refuses a layer whose features are not the last axis: it would pool or convolve over them instead of the timesteps.
void CheckKerasFormat(const KerasLayer& layer);
// Adds the layer after `inputs`. A layer that is not known is refused by its name and class.
KerasValue AddKerasLayer(const KerasLayer& layer, const std::vector<KerasValue>& inputs);
// The sum, product ... of what a layer gives and a number. `number_first`: the number stands before the sign.
KerasValue AddKerasNumber(const KerasLayer& layer, const std::vector<KerasValue>& in, double number, bool number_first);
// TimeDistributed: a layer that is applied within each timestep.
KerasValue AddTimeDistributed(const KerasLayer& layer, const std::vector<KerasValue>& in);
KerasValue AddFlattenLayer(const KerasLayer& layer, const std::vector<KerasValue>& in);
KerasValue AddReshapeLayer(const KerasLayer& layer, const std::vector<KerasValue>& in);
// The Dense layer behind a Flatten over a window of timesteps: a convolution over all of them.
KerasValue AddDenseOfWindow(const KerasLayer& layer, const KerasValue& in);
// Numbers that stand row by row with the features last, as [features][rows].
Value FromRows(ElementGraph* graph, const std::string& name, const Value& in, int64_t rows, int64_t features);
// Pools along the timesteps, over windows of them or over all.
KerasValue AddPoolLayer(const KerasLayer& layer, const std::vector<KerasValue>& in);
KerasValue AddGlobalPoolLayer(const KerasLayer& layer, const std::vector<KerasValue>& in);
// Norms, and layers that scale and shift by given numbers.
KerasValue AddBatchNormLayer(const KerasLayer& layer, const std::vector<KerasValue>& in);
KerasValue AddLayerNormLayer(const KerasLayer& layer, const std::vector<KerasValue>& in);
KerasValue AddUnitNormLayer(const KerasLayer& layer, const std::vector<KerasValue>& in);
KerasValue AddNormalizationLayer(const KerasLayer& layer, const std::vector<KerasValue>& in);
KerasValue AddRescalingLayer(const KerasLayer& layer, const std::vector<KerasValue>& in);
// Activation, ReLU, LeakyReLU, ELU and Softmax.
KerasValue AddActivationLayer(const KerasLayer& layer, const std::vector<KerasValue>& in);
// Conv1D, DepthwiseConv1D and SeparableConv1D along the timesteps, and the ZeroPadding1D before one.
bool IsKerasConvolution(absl::string_view type);
// [kernel, in / groups, filters] -> [filters, in / groups, kernel].
Array ConvWeight(const Array& kernel);
KerasValue AddKerasConvolution(const KerasLayer& layer, const std::vector<KerasValue>& in);
KerasValue AddKerasPadding(const KerasLayer& layer, const std::vector<KerasValue>& in);
// LSTM, GRU, SimpleRNN, their CuDNN forms, and Bidirectional. `path`: through the timesteps, or along the frame.
bool IsKerasCell(absl::string_view type);
KerasValue AddKerasCell(const KerasLayer& layer, const KerasValue& in, CellPath path = CellPath::kTimesteps);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_KERAS_KERAS_LAYER_H_
