// BuildKeras: the layers of a configuration, from the input to the output.

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/convert/keras/keras_file.h"
#include "model/convert/keras/keras_layer.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

using Parsed = nlohmann::json;

constexpr int kMaxDepth = 16;
constexpr size_t kMaxLayers = 1000;

// One layer as the configuration lists it.
struct Listed {
  std::string name, type;
  const Parsed* config = nullptr;
  std::vector<std::string> of;  // the layers before it
};

std::string TextOf(const Parsed& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// The layers that the inbound nodes name: ["lstm", 0, 0, {}] (Keras 2) or "keras_history": ["lstm", 0, 0] (Keras 3).
void CollectInbound(const Parsed& json, int depth, std::vector<std::string>* of) {
  if (depth > kMaxDepth) return;
  if (json.is_array() && json.size() >= 3 && json[0].is_string() && json[1].is_number()) {
    of->push_back(json[0].get<std::string>());
  } else if (json.is_array()) {
    for (const Parsed& each : json) CollectInbound(each, depth + 1, of);
  } else if (json.is_object()) {
    for (const char* key : {"args", "config", "keras_history"}) {
      if (json.contains(key)) CollectInbound(json[key], depth + 1, of);
    }
  }
}

class KerasNetwork {
 public:
  KerasNetwork(const KerasFile& file, const Parsed& config, std::string version, ElementGraph* graph)
      : file_(file), config_(config), version_(std::move(version)), graph_(*graph) {}

  void Build() {
    ListLayers();
    for (const Listed& layer : layers_) {
      if (!graph_.status().ok()) return;
      Add(layer);
    }
    if (layers_.empty()) return graph_.Refuse("the configuration has no layers");
    const std::string output = OutputName();
    const auto found = values_.find(output);
    if (found == values_.end())
      return graph_.Refuse(absl::StrCat("the configuration's output ", Quoted(output), " is no layer"));
    if (!found->second.sequence) graph_.Note("the answer is of the last timestep only; the model gives it at each");
    graph_.SetOutput(found->second.value);
  }

 private:
  void ListLayers() {
    const Parsed& inner = config_.contains("config") ? config_["config"] : config_;
    const bool listed =
        inner.is_array() || (inner.is_object() && inner.contains("layers") && inner["layers"].is_array());
    if (!listed) return graph_.Refuse("the configuration is no Sequential or Functional model with a list of layers");
    sequential_ = TextOf(config_, "class_name") == "Sequential";
    for (const Parsed& json : inner.is_array() ? inner : inner["layers"]) {
      Listed layer;
      layer.type = json.is_object() ? TextOf(json, "class_name") : "";
      const bool known = json.is_object() && json.contains("config") && json["config"].is_object();
      if (layer.type.empty() || !known)
        return graph_.Refuse("a layer of the configuration has no class_name or config");
      layer.config = &json["config"];
      layer.name = TextOf(*layer.config, "name");
      if (layer.name.empty()) layer.name = TextOf(json, "name");
      if (layer.name.empty())
        return graph_.Refuse(absl::StrCat("a layer of class ", Quoted(layer.type), " has no name"));
      if (sequential_ && !layers_.empty()) layer.of = {layers_.back().name};
      if (!sequential_ && json.contains("inbound_nodes") && json["inbound_nodes"].is_array()) {
        if (json["inbound_nodes"].size() > 1)
          return graph_.Refuse(absl::StrCat("layer ", Quoted(layer.name), " is used twice"));
        CollectInbound(json["inbound_nodes"], 0, &layer.of);
      }
      if (layers_.size() == kMaxLayers) {
        return graph_.Refuse(absl::StrCat("the configuration has more than ", kMaxLayers, " layers"));
      }
      layers_.push_back(std::move(layer));
    }
    SortLayers();
  }

  // The layers in an order in which each follows what it reads.
  void SortLayers() {
    std::vector<Listed> sorted, waiting = layers_;
    std::set<std::string> names;
    while (!waiting.empty()) {
      const size_t before = waiting.size();
      std::vector<Listed> left;
      for (Listed& layer : waiting) {
        const bool ready = std::all_of(layer.of.begin(), layer.of.end(),
                                       [&](const std::string& name) { return names.count(name) > 0; });
        if (ready) names.insert(layer.name);
        (ready ? sorted : left).push_back(std::move(layer));
      }
      waiting = std::move(left);
      if (waiting.size() == before) {
        return graph_.Refuse(
            absl::StrCat("layer ", Quoted(waiting[0].name), " reads a layer that is not there, or itself"));
      }
    }
    layers_ = std::move(sorted);
  }

  std::string OutputName() const {
    const Parsed& inner = config_.contains("config") ? config_["config"] : config_;
    std::vector<std::string> outputs;
    if (!sequential_ && inner.is_object() && inner.contains("output_layers"))
      CollectInbound(inner["output_layers"], 0, &outputs);
    if (outputs.size() > 1) {
      graph_.Note(absl::StrCat("left out: outputs ", absl::StrJoin(outputs.begin() + 1, outputs.end(), ", ")));
    }
    return outputs.empty() ? layers_.back().name : outputs[0];
  }

  const Parsed* InputShape(const Parsed& config) const {
    for (const char* key : {"batch_input_shape", "batch_shape"}) {
      if (config.contains(key) && config[key].is_array()) return &config[key];
    }
    return nullptr;
  }

  // [batch, timesteps, features], or [batch, timesteps] of tokens.
  KerasValue AddInput(const Listed& layer) {
    const Parsed* shape = InputShape(*layer.config);
    if (input_done_) {
      graph_.Refuse(absl::StrCat("input ", Quoted(layer.name), " is a second one; one input is supported"));
      return {};
    }
    input_done_ = true;
    if (layer.type == "Embedding" || (shape != nullptr && shape->size() == 2)) {
      return {graph_.SetInput(1), true};  // an embedding makes tokens of it
    }
    if (shape != nullptr && shape->size() == 3 && shape->back().is_number_integer() &&
        shape->back().get<int64_t>() > 0) {
      return {graph_.SetInput(shape->back().get<int64_t>()), true};
    }
    const auto weights = file_.layers.find(layer.name);
    const bool kernel =
        weights != file_.layers.end() && !weights->second.arrays.empty() && weights->second.arrays[0].rank() >= 2;
    if (shape == nullptr && kernel) {
      const Array& first = weights->second.arrays[0];
      return {graph_.SetInput(first.shape[first.rank() - 2]), true};
    }
    graph_.Refuse(absl::StrCat("input ", Quoted(layer.name), " is not [batch, timesteps, features]"));
    return {};
  }

  void Add(const Listed& layer) {
    if (layer.type == "InputLayer") {
      values_[layer.name] = AddInput(layer);
      return;
    }
    std::vector<KerasValue> inputs;
    for (const std::string& name : layer.of) inputs.push_back(values_[name]);
    if (inputs.empty()) inputs.push_back(AddInput(layer));
    const auto weights = file_.layers.find(layer.name);
    const KerasLayer one(layer.type, *layer.config, version_,
                         weights == file_.layers.end() ? std::vector<Array>{} : weights->second.arrays, &graph_);
    values_[layer.name] = AddKerasLayer(one, inputs);
  }

  const KerasFile& file_;
  const Parsed& config_;
  const std::string version_;
  ElementGraph& graph_;
  std::vector<Listed> layers_;
  std::map<std::string, KerasValue> values_;
  bool sequential_ = false, input_done_ = false;
};

// What weights without a graph are of. A weight that no supported layer has is named first.
std::string WeightsOnly(const KerasFile& file) {
  std::vector<std::string> layers;
  for (const auto& [layer, weights] : file.layers) {
    if (weights.names.empty()) continue;
    layers.push_back(layer);
    for (const std::string& name : weights.names) {
      bool known = false;
      for (const char* each :
           {"kernel", "recurrent_kernel", "bias", "embeddings", "gamma", "beta", "moving_mean", "moving_variance"}) {
        known = known || absl::EndsWith(name, absl::StrCat("/", each, ":0")) ||
                absl::EndsWith(name, absl::StrCat("/", each));
      }
      if (!known)
        return absl::StrCat(
            "layer ", Quoted(layer), " has the weight ", Quoted(name), ", which no supported layer has (",
            absl::StrContains(name, "attention") ? "attention looks at all timesteps and is not supported"
                                                 : "custom layers are not supported",
            ")");
    }
  }
  return absl::StrCat("the file has the weights of ", absl::StrJoin(layers, ", "),
                      " and no graph; --config takes the configuration, which model.to_json() gives");
}

}  // namespace

void BuildKeras(const KerasFile& file, absl::string_view config, ElementGraph* graph) {
  const std::string text = file.config.empty() ? std::string(config) : file.config;
  if (text.empty()) return graph->Refuse(WeightsOnly(file));
  const absl::StatusOr<Parsed> json = ParseJson(text);
  if (!json.ok()) return graph->Refuse(absl::StrCat("the configuration: ", json.status().message()));
  if (!json->is_object()) return graph->Refuse("the configuration is no JSON object");
  const std::string said = TextOf(*json, "keras_version");
  KerasNetwork(file, *json, said.empty() ? file.version : said, graph).Build();
}

}  // namespace rondo::convert
