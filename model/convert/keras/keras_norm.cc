// Layers that shift and scale: by statistics of the training data, by those of the vector itself, or by given numbers.

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/convert/keras/keras_layer.h"

namespace rondo::convert {
namespace {

// Numbers of the configuration: one, or a list of them inside any number of lists.
std::vector<double> NumbersOf(const nlohmann::json& json) {
  if (json.is_number()) return {json.get<double>()};
  std::vector<double> numbers;
  const nlohmann::json* list = &json;
  while (list->is_array() && list->size() == 1 && (*list)[0].is_array()) list = &(*list)[0];
  for (const nlohmann::json& each : list->is_array() ? *list : nlohmann::json::array()) {
    if (each.is_number()) numbers.push_back(each.get<double>());
  }
  return numbers;
}

// Refuses a layer that goes over another axis than that of the features, which is the last.
void CheckAxis(const KerasLayer& layer, const KerasValue& in) {
  const auto said = layer.config().find("axis");
  if (said == layer.config().end() || said->is_null() || (said->is_array() && said->empty())) return;
  const nlohmann::json& axis = said->is_array() && said->size() == 1 ? (*said)[0] : *said;
  const int last = 1 + (in.sequence ? 1 : 0) + (in.value.frame.length > 1 ? 1 : 0);
  if (axis != -1 && axis != last) layer.Refuse("is over another axis than the last, which is that of the features");
}

}  // namespace

KerasValue AddBatchNormLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  CheckAxis(layer, in[0]);
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

// (x - mean) / deviation, or back; the numbers stand in the configuration, or were found in the data (adapt).
KerasValue AddNormalizationLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  CheckAxis(layer, in[0]);
  const int64_t size = in[0].value.frame.size();
  const auto numbers = [&](const char* key, size_t weight) {
    const auto found = layer.config().find(key);
    std::vector<double> values =
        found != layer.config().end() && !found->is_null() ? NumbersOf(*found) : layer.Weight(weight).values;
    if (values.size() == 1) values.assign(static_cast<size_t>(size), values[0]);
    return values;
  };
  const std::vector<double> mean = numbers("mean", 0), variance = numbers("variance", 1);
  if (!layer.ok()) return {};
  if (mean.size() != static_cast<size_t>(size) || variance.size() != mean.size()) {
    layer.Refuse("has no mean and variance for each feature");
    return {};
  }
  Array scale = Filled({size}, 0), shift = scale;
  for (int64_t i = 0; i < size; ++i) {
    const double deviation = std::max(std::sqrt(variance[i]), 1e-7);  // Keras' epsilon
    scale.values[i] = layer.Switch("invert", false) ? deviation : 1 / deviation;
    shift.values[i] = layer.Switch("invert", false) ? mean[i] : -mean[i] / deviation;
  }
  return {AddScale(layer.graph(), layer.name(), in[0].value, std::move(scale), std::move(shift)), in[0].sequence};
}

KerasValue AddRescalingLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const int64_t size = in[0].value.frame.size();
  const auto values = [&](const char* key, double otherwise) {
    const auto found = layer.config().find(key);
    std::vector<double> numbers = found == layer.config().end() ? std::vector<double>{otherwise} : NumbersOf(*found);
    if (numbers.size() == 1) numbers.assign(static_cast<size_t>(size), numbers[0]);
    if (numbers.size() != static_cast<size_t>(size)) layer.Refuse(absl::StrCat("has a ", key, " of another size"));
    return Array{{size}, std::move(numbers)};
  };
  Array scale = values("scale", 1), shift = values("offset", 0);
  if (!layer.ok()) return {};
  return {AddScale(layer.graph(), layer.name(), in[0].value, std::move(scale), std::move(shift)), in[0].sequence};
}

KerasValue AddLayerNormLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  CheckAxis(layer, in[0]);
  size_t next = 0;
  const int64_t size = in[0].value.frame.size();
  if (in[0].value.frame.length > 1) layer.Refuse("is over rows within a timestep; over one vector is supported");
  Array gamma = layer.Switch("scale", true) ? layer.Weight(next++) : Filled({size}, 1);
  Array beta = layer.Switch("center", true) ? layer.Weight(next) : Array{};
  return {AddLayerNorm(layer.graph(), layer.name(), in[0].value, std::move(gamma), std::move(beta),
                       layer.Number("epsilon", 1e-3)),
          in[0].sequence};
}

KerasValue AddUnitNormLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  CheckAxis(layer, in[0]);
  if (in[0].value.frame.length > 1) layer.Refuse("is over rows within a timestep; over one vector is supported");
  return {AddL2Norm(layer.graph(), layer.name(), in[0].value, 1e-6), in[0].sequence};
}

}  // namespace rondo::convert
