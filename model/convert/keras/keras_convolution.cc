// Keras' convolutions along the timesteps.

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/convert/keras/keras_layer.h"

namespace rondo::convert {
namespace {

// [kernel, in, multiplier] -> [in * multiplier, 1, kernel], a group for each input.
Array DepthwiseWeight(const Array& kernel) {
  const int64_t width = kernel.shape[0], filters = kernel.shape[1] * kernel.shape[2];
  Array weight = Filled({filters, 1, width}, 0);
  for (int64_t i = 0; i < kernel.size(); ++i) weight.values[i % filters * width + i / filters] = kernel.values[i];
  return weight;
}

// How many timesteps of the window are yet to come. Refused: a padding that is not supported.
int64_t Ahead(const KerasLayer& layer, const KerasValue& in, const Window& window) {
  const std::string padding = layer.Text("padding", "valid");
  const int64_t back = (window.kernel - 1) * window.dilation;
  if (padding != "causal" && padding != "same" && padding != "valid") {
    layer.Refuse(absl::StrCat("has padding=", padding, "; causal, same and valid are supported"));
  } else if (in.zeros_before != 0 && (padding != "valid" || in.zeros_before != back)) {
    layer.Refuse(absl::StrCat("follows ", in.zeros_before, " timesteps of zeros; with padding=valid ", back,
                              " of them, which make it causal, are supported"));
  } else if (padding == "valid" && back > 0 && in.zeros_before == 0) {
    layer.graph()->Note(absl::StrCat("layer '", layer.name(),
                                     "': padding is valid, so Keras gives nothing for the first ", back,
                                     " timesteps; the model gives numbers there, as if zeros had come before"));
  }
  return padding == "same" ? back - back / 2 : 0;
}

Window WindowOf(const KerasLayer& layer, const KerasValue& in, const Array& kernel) {
  Window window;
  window.kernel = kernel.rank() == 3 ? kernel.shape[0] : 0;
  window.dilation = layer.One("dilation_rate", 1);
  window.groups = layer.One("groups", 1);
  if (!in.sequence || kernel.rank() != 3 || kernel.empty()) {
    layer.Refuse("is no convolution along timesteps");
  } else if (layer.One("strides", 1) != 1) {
    layer.Refuse("strides over timesteps; strides of 1 are supported");
  }
  return window;
}

}  // namespace

Array ConvWeight(const Array& kernel) {
  const int64_t width = kernel.shape[0], in = kernel.shape[1], filters = kernel.shape[2];
  Array weight = Filled({filters, in, width}, 0);
  for (int64_t i = 0; i < kernel.size(); ++i) {
    const int64_t at = i / (in * filters), channel = i / filters % in, filter = i % filters;
    weight.values[(filter * in + channel) * width + at] = kernel.values[i];
  }
  return weight;
}

bool IsKerasConvolution(absl::string_view type) {
  return type == "Conv1D" || type == "DepthwiseConv1D" || type == "SeparableConv1D";
}

KerasValue AddKerasConvolution(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const bool depthwise = layer.type() != "Conv1D", separable = layer.type() == "SeparableConv1D";
  const Array kernel = layer.Weight(0), pointwise = separable ? layer.Weight(1) : Array{};
  Array bias = layer.Switch("use_bias", true) ? layer.Weight(separable ? 2 : 1) : Array{};
  Window window = WindowOf(layer, in[0], kernel);
  const int64_t ahead = Ahead(layer, in[0], window);
  if (separable && (pointwise.rank() != 3 || pointwise.shape[0] != 1)) layer.Refuse("has no kernel of one timestep");
  if (!layer.ok()) return {};
  if (depthwise) window.groups = kernel.shape[1];
  ElementGraph* graph = layer.graph();
  const std::string name = separable ? absl::StrCat(layer.name(), "_depthwise") : layer.name();
  Value value = AddCausalConv(graph, name, in[0].value, depthwise ? DepthwiseWeight(kernel) : ConvWeight(kernel),
                              separable ? Array{} : bias, window, ahead);
  if (separable) {
    Array weight = ConvWeight(pointwise);
    weight.shape.pop_back();
    value = AddDense(graph, layer.name(), value, std::move(weight), std::move(bias));
  }
  const bool late = layer.Text("padding", "valid") == "valid" && in[0].zeros_before == 0;
  value = layer.Activated("activation", "_activation", value);
  return {value, true, 0, late ? (window.kernel - 1) * window.dilation : 0};
}

KerasValue AddKerasPadding(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const auto padding = layer.config().find("padding");
  const bool two = padding != layer.config().end() && padding->is_array() && padding->size() == 2 &&
                   (*padding)[0].is_number_integer() && (*padding)[1].is_number_integer();
  if (!two || !in[0].sequence || (*padding)[1] != 0 || (*padding)[0] < 0) {
    layer.Refuse("pads timesteps after the last; zeros before the first (padding=(N, 0)) are supported");
    return {};
  }
  return {in[0].value, true, in[0].zeros_before + (*padding)[0].get<int64_t>()};
}

}  // namespace rondo::convert
