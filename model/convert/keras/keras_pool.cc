// Pools along the timesteps.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "model/convert/keras/keras_layer.h"

namespace rondo::convert {
namespace {

// How many places "same" adds around `timesteps` (0: any number), half of them before the first. Nullopt: how many are
// before the first depends on the number of timesteps.
std::optional<int64_t> SamePadding(int64_t timesteps, int64_t kernel, int64_t stride) {
  // `rest`: how many timesteps the last stride has; 0: all.
  const auto total = [&](int64_t rest) { return std::max<int64_t>(0, kernel - (rest == 0 ? stride : rest)); };
  if (timesteps > 0) return total(timesteps % stride);
  for (int64_t rest = 1; rest < std::min(stride, kernel); ++rest) {
    if (total(rest) / 2 != total(0) / 2) return std::nullopt;
  }
  return total(0);
}

}  // namespace

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
  if (padding == "same") {
    const std::optional<int64_t> total = SamePadding(in[0].timesteps, kernel, stride);
    if (!total.has_value()) {
      layer.Refuse(
          "pads with padding=same by how many timesteps there are, which the model leaves open; padding=valid is "
          "supported, and a model that says its timesteps");
      return {};
    }
    if (*total > 0) element.attributes["padding"] = {*total / 2, *total - *total / 2};
    element.attributes["partial"] = true;
  }
  KerasValue value = {layer.graph()->Add(std::move(element)), true};
  const int64_t windows =
      padding == "same" ? (in[0].timesteps + stride - 1) / stride : (in[0].timesteps - kernel) / stride + 1;
  value.timesteps = in[0].timesteps > 0 ? std::max<int64_t>(0, windows) : 0;
  return value;
}

KerasValue AddGlobalPoolLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  if (!in[0].sequence) layer.Refuse("pools over something else than the timesteps");
  const char* type = absl::StartsWith(layer.type(), "GlobalMax") ? "sequence_max" : "sequence_mean";
  return {AddSequence(layer.graph(), layer.name(), type, in[0].value), false};
}

}  // namespace rondo::convert
