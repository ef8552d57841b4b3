// KerasListing: the layers of a configuration, models inside models taken apart.

#include "model/convert/keras/keras_listing.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/json/json_text.h"

namespace rondo::convert {

using Parsed = nlohmann::json;

std::string TextOf(const Parsed& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

namespace {

constexpr int kMaxListingDepth = 16;
constexpr size_t kMaxLayers = 1000;

bool NamesTensor(const Parsed& json, int depth) {
  if (depth > kMaxListingDepth || !(json.is_array() || json.is_object())) return false;
  if (json.is_object() && json.contains("keras_history")) return true;
  if (json.is_array() && json.size() >= 3 && json[0].is_string() && json[1].is_number()) return true;
  return std::any_of(json.begin(), json.end(), [&](const Parsed& each) { return NamesTensor(each, depth + 1); });
}

// The tensors that the inbound nodes name: ["lstm", 0, 0, {}] (Keras 2) or "keras_history": ["lstm", 0, 0] (Keras 3).
void CollectInbound(const Parsed& json, int depth, Listed* layer) {
  if (depth > kMaxListingDepth) return;
  const auto take_keywords = [&](const Parsed& keywords) {
    for (const auto& [key, value] : keywords.items()) {
      if (!NamesTensor(value, 0)) continue;
      if (key != "mask") layer->keyword = key;
      layer->masked = layer->masked || key == "mask";
    }
  };
  if (json.is_array() && json.size() >= 3 && json[0].is_string() && json[1].is_number() && json[2].is_number()) {
    layer->of.push_back({json[0].get<std::string>(), json[2].get<int64_t>()});
    if (json.size() > 3 && json[3].is_object()) take_keywords(json[3]);
  } else if (json.is_array()) {
    for (const Parsed& each : json) CollectInbound(each, depth + 1, layer);
  } else if (json.is_number()) {
    layer->number_first = layer->number_first || layer->of.empty();
    layer->numbers.push_back(json.get<double>());
  } else if (json.is_object() && json.contains("keras_history")) {
    CollectInbound(json["keras_history"], depth + 1, layer);
  } else if (json.is_object()) {
    for (const char* key : {"args", "config"}) {
      if (json.contains(key)) CollectInbound(json[key], depth + 1, layer);
    }
    if (json.contains("kwargs") && json["kwargs"].is_object()) take_keywords(json["kwargs"]);
  }
}

// The model inside a layer, which may be in a TimeDistributed. Null: there is none.
const Parsed* ModelIn(const Parsed& layer, bool* each_timestep) {
  const Parsed* model = &layer;
  *each_timestep = TextOf(layer, "class_name") == "TimeDistributed" && layer["config"].contains("layer");
  if (*each_timestep) model = &layer["config"]["layer"];
  if (!model->is_object() || !model->contains("config")) return nullptr;
  const Parsed& inner = (*model)["config"];
  const bool is = TextOf(*model, "class_name") != "StackedRNNCells" &&
                  (inner.is_array() || (inner.is_object() && inner.contains("layers") && inner["layers"].is_array()));
  return is ? model : nullptr;
}

std::vector<Source> SourcesOf(const Parsed& model, const char* key, const std::string& prefix) {
  Listed named;
  if (model.is_object() && model.contains(key)) CollectInbound(model[key], 0, &named);
  for (Source& source : named.of) source.name = prefix + source.name;
  return named.of;
}

}  // namespace

KerasListing::KerasListing(const Parsed& config, ElementGraph* graph) : graph_(*graph) {
  outputs_ = ListModel(config, "", {}, false, 0);
  for (Listed& layer : layers_) {
    for (Source& source : layer.of) source = Resolved(source);
  }
  for (Source& output : outputs_) output = Resolved(output);
  if (graph_.status().ok()) SortLayers();
  if (graph_.status().ok()) LeaveOutUnread();
}

// What a model's name stands for is what its last layer answers, and its input is what it is given.
Source KerasListing::Resolved(Source source) const {
  for (int depth = 0; depth <= 2 * kMaxListingDepth; ++depth) {
    const auto found = stands_for_.find(source);
    if (found == stands_for_.end()) break;
    source = found->second;
  }
  return source;
}

// Lists the layers of a model, which reads `given`; returns its outputs. `each_timestep`: every layer of it is applied
// at each timestep alone.
std::vector<Source> KerasListing::ListModel(const Parsed& model, const std::string& prefix,
                                            const std::vector<Source>& given, bool each_timestep, int depth) {
  const Parsed& inner = model.contains("config") ? model["config"] : model;
  const bool listed = inner.is_array() || (inner.is_object() && inner.contains("layers") && inner["layers"].is_array());
  if (!listed || depth > kMaxListingDepth) {
    graph_.Refuse("the configuration is no Sequential or Functional model with a list of layers");
    return {};
  }
  const bool sequential = TextOf(model, "class_name") == "Sequential";
  Source last = given.empty() ? Source{} : given[0];
  std::vector<Source> inputs = SourcesOf(inner, "input_layers", prefix);
  for (const Parsed& json : inner.is_array() ? inner : inner["layers"]) {
    std::optional<Listed> layer = ReadLayer(json, sequential, last, prefix);
    if (!layer.has_value()) return {};
    last = {layer->name};
    if (layer->type == "InputLayer" && !prefix.empty()) {
      if (sequential) inputs = {last};
      continue;
    }
    bool timed = false;
    const Parsed* inside = ModelIn(json, &timed);
    if (inside != nullptr) {
      const std::vector<Source> outputs =
          ListModel(*inside, layer->name + "/", layer->of, each_timestep || timed, depth + 1);
      for (size_t i = 0; i < outputs.size(); ++i) stands_for_[{layer->name, static_cast<int64_t>(i)}] = outputs[i];
      continue;
    }
    if (each_timestep) ApplyAtEachTimestep(json, &*layer);
    layers_.push_back(*std::move(layer));
    if (layers_.size() > kMaxLayers)
      graph_.Refuse(absl::StrCat("the configuration has more than ", kMaxLayers, " layers"));
    if (!graph_.status().ok()) return {};
  }
  for (size_t i = 0; i < std::min(inputs.size(), given.size()); ++i) stands_for_[inputs[i]] = given[i];
  std::vector<Source> outputs = sequential ? std::vector<Source>{} : SourcesOf(inner, "output_layers", prefix);
  if (outputs.empty() && !last.name.empty()) outputs = {last};
  return outputs;
}

std::optional<Listed> KerasListing::ReadLayer(const Parsed& json, bool sequential, const Source& before,
                                              const std::string& prefix) {
  Listed layer;
  layer.type = json.is_object() ? TextOf(json, "class_name") : "";
  const bool known =
      json.is_object() && json.contains("config") && (json["config"].is_object() || json["config"].is_array());
  if (layer.type.empty() || !known) {
    graph_.Refuse("a layer of the configuration has no class_name or config");
    return std::nullopt;
  }
  layer.config = &json["config"];
  layer.name = TextOf(*layer.config, "name");
  if (layer.name.empty()) layer.name = TextOf(json, "name");
  if (layer.name.empty()) {
    graph_.Refuse(absl::StrCat("a layer of class ", Quoted(layer.type), " has no name"));
    return std::nullopt;
  }
  if (!sequential && json.contains("inbound_nodes") && json["inbound_nodes"].is_array()) {
    if (json["inbound_nodes"].size() > 1) {
      graph_.Refuse(absl::StrCat("layer ", Quoted(layer.name), " is used twice"));
      return std::nullopt;
    }
    CollectInbound(json["inbound_nodes"], 0, &layer);
    for (Source& source : layer.of) source.name = prefix + source.name;
  }
  layer.name = prefix + layer.name;
  if (sequential && !before.name.empty()) layer.of = {before};
  return layer;
}

// The layer as TimeDistributed would hold it.
void KerasListing::ApplyAtEachTimestep(const Parsed& json, Listed* layer) {
  made_.push_back({{"name", layer->name}, {"layer", {{"class_name", layer->type}, {"config", json["config"]}}}});
  layer->config = &made_.back();
  layer->type = "TimeDistributed";
}

// Layers that no output reads, as those that find a mask: a request has no padding, and so needs none.
void KerasListing::LeaveOutUnread() {
  std::set<std::string> needed;
  for (const Source& output : outputs_) needed.insert(output.name);
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    if (layer->masked)
      graph_.Note(absl::StrCat("layer '", layer->name, "': its mask is left out; what is sent has no padding"));
    if (needed.count(layer->name) == 0) continue;
    for (const Source& source : layer->of) needed.insert(source.name);
  }
  const auto unread = [&](const Listed& layer) { return needed.count(layer.name) == 0 && layer.type != "InputLayer"; };
  layers_.erase(std::remove_if(layers_.begin(), layers_.end(), unread), layers_.end());
}

// The layers in an order in which each follows what it reads.
void KerasListing::SortLayers() {
  std::vector<Listed> sorted, waiting = layers_;
  std::set<std::string> names;
  while (!waiting.empty()) {
    const size_t before = waiting.size();
    std::vector<Listed> left;
    for (Listed& layer : waiting) {
      const bool ready = std::all_of(layer.of.begin(), layer.of.end(),
                                     [&](const Source& source) { return names.count(source.name) > 0; });
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

}  // namespace rondo::convert
