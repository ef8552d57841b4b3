// Keras' layers within one timestep (TimeDistributed), and windows of timesteps as one vector (Flatten).

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/convert/keras/keras_layer.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

// [features][rows] as numbers that stand row by row.
Value ToRows(ElementGraph* graph, const std::string& name, const Value& in) {
  if (in.frame.length == 1) return in;
  const Value turned = AddTranspose(graph, absl::StrCat(name, "_rows"), in);
  return AddReshape(graph, name, turned, {in.frame.size(), 1});
}

Window WindowOf(const KerasLayer& layer, const Value& in, int64_t kernel, int64_t stride) {
  Window window;
  window.kernel = kernel;
  window.stride = stride;
  window.dilation = layer.One("dilation_rate", 1);
  const std::string padding = layer.Text("padding", "valid");
  const int64_t span = (kernel - 1) * window.dilation + 1;
  if (kernel < 1 || stride < 1 || span < 1 || (padding != "same" && padding != "valid" && padding != "causal")) {
    layer.Refuse(absl::StrCat("has padding=", padding, "; causal, same and valid are supported"));
  } else if (padding == "causal") {
    window.left = span - 1;
  } else if (padding == "same") {
    const int64_t out = (in.frame.length + stride - 1) / stride;
    const int64_t total = std::max<int64_t>(0, (out - 1) * stride + span - in.frame.length);
    window.left = total / 2;
    window.right = total - total / 2;
  }
  return window;
}

Value AddConvOfFrame(const KerasLayer& layer, const Value& in) {
  const Array kernel = layer.Weight(0);
  Array bias = layer.Switch("use_bias", true) ? layer.Weight(1) : Array{};
  if (layer.ok() && kernel.rank() != 3) layer.Refuse("has a kernel of other than three axes");
  if (!layer.ok()) return {};
  Window window = WindowOf(layer, in, kernel.shape[0], layer.One("strides", 1));
  window.groups = layer.One("groups", 1);
  if (!layer.ok()) return {};
  const Value value = AddConv(layer.graph(), layer.name(), in, ConvWeight(kernel), std::move(bias), window);
  return layer.Activated("activation", "_activation", value);
}

Value AddPoolOfFrame(const KerasLayer& layer, const Value& in) {
  const bool largest = absl::StrContains(layer.type(), "Max");
  if (absl::StartsWith(layer.type(), "Global"))
    return AddReduction(layer.graph(), layer.name(), largest ? "max" : "mean", in);
  const int64_t kernel = layer.One("pool_size", 2);
  const Window window = WindowOf(layer, in, kernel, layer.One("strides", kernel));
  if (!layer.ok()) return {};
  return AddPool(layer.graph(), layer.name(), largest ? "max_pool" : "average_pool", in, window, false);
}

// A Dense layer of each row: a convolution of one value.
Value AddDenseOfRows(const KerasLayer& layer, const Value& in) {
  const Array kernel = layer.Weight(0);
  Array bias = layer.Switch("use_bias", true) ? layer.Weight(1) : Array{};
  if (layer.ok() && kernel.rank() != 2) layer.Refuse("has a kernel that is no matrix");
  if (!layer.ok()) return {};
  Array weight = Transposed(kernel);
  weight.shape.push_back(1);
  const Value value = AddConv(layer.graph(), layer.name(), in, std::move(weight), std::move(bias), Window{});
  return layer.Activated("activation", "_activation", value);
}

}  // namespace

Value FromRows(ElementGraph* graph, const std::string& name, const Value& in, int64_t rows, int64_t features) {
  return AddTranspose(graph, absl::StrCat(name, "_turned"),
                      AddReshape(graph, absl::StrCat(name, "_rows"), in, {rows, features}));
}

KerasValue AddTimeDistributed(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const auto inner = layer.config().find("layer");
  const bool known = inner != layer.config().end() && inner->is_object() && inner->contains("config") &&
                     inner->contains("class_name") && (*inner)["class_name"].is_string() &&
                     (*inner)["config"].is_object();
  const std::string type = known ? (*inner)["class_name"].get<std::string>() : "";
  const bool of_frame = type == "Conv1D" || absl::EndsWith(type, "Pooling1D");
  const bool plain = of_frame || IsKerasCell(type) || type == "Dense" || type == "Activation" ||
                     absl::EndsWith(type, "Dropout") || type == "BatchNormalization" || type == "LayerNormalization" ||
                     type == "Flatten" || absl::EndsWith(type, "ReLU") || type == "ELU";
  if (!known || !in[0].sequence || !plain) {
    layer.Refuse(absl::StrCat(
        "applies ", type.empty() ? "no layer" : Quoted(type), " at each timestep; Dense, Activation, Dropout, ",
        "BatchNormalization, LayerNormalization, Flatten, Conv1D, pools, LSTM, GRU, SimpleRNN and ",
        "Bidirectional are supported"));
    return {};
  }
  const KerasLayer each(type, (*inner)["config"], layer.version(), layer.weights(), layer.graph());
  const Value& value = in[0].value;
  CheckKerasFormat(each);
  if (type == "Conv1D") return {AddConvOfFrame(each, value)};
  if (of_frame) return {AddPoolOfFrame(each, value)};
  if (type == "Flatten") return {ToRows(layer.graph(), each.name(), value)};
  if (IsKerasCell(type)) return {AddKerasCell(each, in[0], CellPath::kFrame).value};
  if (value.frame.length > 1 && type == "Dense") return {AddDenseOfRows(each, value)};
  if (value.frame.length > 1 && type == "LayerNormalization") {
    layer.Refuse(absl::StrCat("applies ", type, " to rows within a timestep; to one vector is supported"));
    return {};
  }
  return {AddKerasLayer(each, {{value, false}}).value};  // one timestep is no sequence to the layer
}

// Reshape, where the timesteps stay what they are: a timestep's numbers become one vector, or rows.
KerasValue AddReshapeLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  const auto said = layer.config().find("target_shape");
  std::vector<int64_t> shape;
  for (const nlohmann::json& size : said == layer.config().end() ? nlohmann::json::array() : *said)
    shape.push_back(size.is_number_integer() ? size.get<int64_t>() : 0);
  const size_t own = in[0].sequence ? 1 : 0;  // the first axis of a timestep's numbers
  const int64_t size = in[0].value.frame.size();
  const int64_t given = in[0].timesteps > 0 ? in[0].timesteps - in[0].late : 0;  // timesteps; 0: any number
  // What is left to be found: the timesteps, or with a number of them that is known one axis behind.
  int64_t known = 1, open = 0;
  for (size_t i = own; i < shape.size(); ++i) {
    open += shape[i] == -1 ? 1 : 0;
    if (shape[i] != -1 && (shape[i] < 1 || shape[i] > size || (known *= shape[i]) > size)) known = size + 1;
  }
  const bool keeps_time = own == 0 || (!shape.empty() && (shape[0] == given || open == 0));
  const bool fits = keeps_time && open <= 1 && size % known == 0 && (open == 1 || known == size);
  if (!fits || shape.size() <= own || shape.size() > own + (own == 1 ? 2 : 1)) {
    layer.Refuse("gives another number of timesteps, or a timestep of more than two axes");
    return {};
  }
  for (size_t i = own; i < shape.size(); ++i) shape[i] = shape[i] == -1 ? size / known : shape[i];
  KerasValue value = in[0];
  value.value = ToRows(layer.graph(), layer.name(), value.value);
  if (shape.size() == own + 2)
    value.value = FromRows(layer.graph(), layer.name(), value.value, shape[own], shape[own + 1]);
  return value;
}

// A Flatten over a known number of timesteps waits for the Dense layer that goes over all of them.
KerasValue AddFlattenLayer(const KerasLayer& layer, const std::vector<KerasValue>& in) {
  if (!in[0].sequence) return in[0];
  KerasValue value = in[0];
  value.window = in[0].timesteps - in[0].late;
  if (in[0].timesteps < 1 || value.window < 1)
    layer.Refuse("makes one vector of all timesteps, and the model does not say how many there are");
  return value;
}

KerasValue AddDenseOfWindow(const KerasLayer& layer, const KerasValue& in) {
  const Array kernel = layer.Weight(0);
  Array bias = layer.Switch("use_bias", true) ? layer.Weight(1) : Array{};
  const int64_t width = in.value.frame.size(), units = kernel.shape[1];
  if (kernel.shape[0] != in.window * width)
    layer.Refuse(absl::StrCat("takes ", kernel.shape[0], " numbers of ", in.window, " timesteps of ", width));
  if (!layer.ok()) return {};
  Window window;
  window.kernel = in.window;
  Array weight = Filled({units, width, in.window}, 0);
  for (int64_t i = 0; i < kernel.size(); ++i) {
    const int64_t unit = i % units, feature = i / units % width, timestep = i / (units * width);
    weight.values[(unit * width + feature) * in.window + timestep] = kernel.values[i];
  }
  const Value value =
      AddCausalConv(layer.graph(), layer.name(), in.value, std::move(weight), std::move(bias), window, 0);
  layer.graph()->Note(absl::StrCat("layer '", layer.name(), "': reads ", in.window,
                                   " timesteps at once; the model gives what Keras gives at timestep ",
                                   in.window + in.late, ", and numbers before and after it too"));
  return {layer.Activated("activation", "_activation", value), false};
}

}  // namespace rondo::convert
