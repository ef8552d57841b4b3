#include "model/convert/keras/keras_file.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "model/convert/archive/zip_archive.h"
#include "model/convert/keras/h5_file.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

absl::Status AddWeight(const H5File& file, const std::string& path, const std::string& name, KerasLayerWeights* layer) {
  absl::StatusOr<Array> array = file.Numbers(path);
  if (!array.ok()) return array.status();
  layer->names.push_back(name);
  layer->arrays.push_back(*std::move(array));
  return absl::OkStatus();
}

std::string FirstText(const H5File& file, const std::string& path, const std::string& attribute) {
  const std::vector<std::string> texts = file.Texts(path, attribute);
  return texts.empty() ? "" : texts[0];
}

// Lists that do not fit one attribute go on in NAME0, NAME1 ...
std::vector<std::string> AllTexts(const H5File& file, const std::string& path, const std::string& attribute) {
  std::vector<std::string> all = file.Texts(path, attribute);
  for (int part = 0; part < 1000; ++part) {
    const std::vector<std::string> more = file.Texts(path, absl::StrCat(attribute, part));
    if (more.empty()) break;
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

// LSTM -> lstm, MaxPooling1D -> max_pooling1d: Keras' to_snake_case.
std::string SnakeCase(absl::string_view name) {
  std::string snake;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool upper = absl::ascii_isupper(static_cast<unsigned char>(name[i]));
    const bool after_lower = i > 0 && absl::ascii_islower(static_cast<unsigned char>(name[i - 1]));
    const bool before_lower = i > 0 && i + 1 < name.size() &&
                              absl::ascii_islower(static_cast<unsigned char>(name[i + 1])) &&
                              !absl::ascii_isdigit(static_cast<unsigned char>(name[i - 1]));
    if (upper && (after_lower || before_lower)) snake.push_back('_');
    snake.push_back(absl::ascii_tolower(static_cast<unsigned char>(name[i])));
  }
  return snake;
}

// One layer of a model, or cell of a stack of cells, and the name that Keras 3 gives its group: that of its class,
// counted within the model. The layers' own names are counted over all models of a process, so that "conv1d_1" can be
// the group of another layer than of the one with that name.
struct NamedLayer {
  std::string name, group;
  const nlohmann::json *json, *config;
};

// In the model's order. Empty: it is no model.
std::vector<NamedLayer> LayersOf(const nlohmann::json& model) {
  std::vector<NamedLayer> layers;
  if (!model.is_object() || !model.contains("config")) return layers;
  const nlohmann::json* list = &model["config"];
  for (const char* key : {"layers", "cells"}) {
    if (list->is_object() && list->contains(key)) list = &(*list)[key];
  }
  if (!list->is_array()) return layers;
  std::map<std::string, int> counts;
  for (const nlohmann::json& layer : *list) {
    if (!layer.is_object() || !layer.contains("class_name") || !layer["class_name"].is_string()) continue;
    const auto own = layer.find("config");
    const bool named = own != layer.end() && own->is_object() && own->contains("name") && (*own)["name"].is_string();
    if (!named) continue;
    const std::string snake = SnakeCase(layer["class_name"].get<std::string>());
    const int count = counts[snake]++;
    layers.push_back(
        {(*own)["name"].get<std::string>(), count == 0 ? snake : absl::StrCat(snake, "_", count), &layer, &*own});
  }
  return layers;
}

// The variables below a group of Keras 3: its own, then those of its parts.
absl::Status AddVariables(const H5File& file, const std::string& group, const nlohmann::json& config,
                          KerasLayerWeights* layer) {
  std::vector<std::string> parts = {"", "/cell", "/forward_layer/cell", "/backward_layer/cell"};
  for (const char* wrapped : {"/layer", "/layer/cell", "/layer/forward_layer/cell", "/layer/backward_layer/cell"}) {
    parts.emplace_back(wrapped);
  }
  if (config.contains("cell") && config["cell"].is_object()) {
    for (const NamedLayer& cell : LayersOf(config["cell"])) parts.push_back("/cell/cells/" + cell.group);
  }
  for (const std::string& part : parts) {
    const std::string variables = absl::StrCat(group, part, "/vars");
    for (int i = 0; file.Has(absl::StrCat(variables, "/", i)); ++i) {
      const std::string path = absl::StrCat(variables, "/", i);
      if (absl::Status status = AddWeight(file, path, path, layer); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

// Adds the weights of the layers of a model, and of those of the models in it, whose names begin with that of the model
// that they are in: "encoder/lstm".
absl::Status AddLayersOf(const H5File& file, const nlohmann::json& config, const std::string& group,
                         const std::string& prefix, int depth, KerasFile* model) {
  constexpr int kMaxDepth = 16;
  if (depth > kMaxDepth) return absl::DataLossError("models stand too deep inside each other");
  for (const NamedLayer& layer : LayersOf(config)) {
    const std::string by_class = absl::StrCat(group, layer.group);
    const std::string own = file.Has(by_class) ? by_class : absl::StrCat(group, layer.name);
    const bool wraps = layer.config->contains("layer") && (*layer.config)["layer"].is_object();
    const nlohmann::json& inner = wraps ? (*layer.config)["layer"] : *layer.json;
    const std::string inner_group = absl::StrCat(own, wraps ? "/layer" : "", "/layers/");
    absl::Status status = LayersOf(inner).empty()
                              ? AddVariables(file, own, *layer.config, &model->layers[prefix + layer.name])
                              : AddLayersOf(file, inner, inner_group, prefix + layer.name + "/", depth + 1, model);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status AddLayersByClass(const H5File& file, KerasFile* model) {
  const absl::StatusOr<nlohmann::json> json = ParseJson(model->config);
  if (!json.ok()) return absl::DataLossError(absl::StrCat("the configuration: ", json.status().message()));
  return AddLayersOf(file, *json, "layers/", "", 0, model);
}

// What Keras 3's save_weights writes.
absl::StatusOr<KerasFile> ReadWeightsOfKeras3(const H5File& file, const std::string& config) {
  if (config.empty()) {
    return absl::InvalidArgumentError(
        "the file has weights of Keras 3 and no graph; --config takes the configuration, which model.to_json() gives");
  }
  KerasFile model;
  model.config = config;
  model.version = "3";
  if (absl::Status status = AddLayersByClass(file, &model); !status.ok()) return status;
  return model;
}

}  // namespace

absl::StatusOr<KerasFile> ReadH5Model(const std::string& bytes, const std::string& config) {
  const absl::StatusOr<H5File> file = H5File::Open(bytes);
  if (!file.ok()) return file.status();
  KerasFile model;
  const std::string root = file->Has("model_weights") ? "model_weights" : "";
  model.config = FirstText(*file, "", "model_config");
  model.version = FirstText(*file, root, "keras_version");
  const std::vector<std::string> layers = AllTexts(*file, root, "layer_names");
  if (layers.empty() && root.empty() && file->Has("layers")) return ReadWeightsOfKeras3(*file, config);
  if (layers.empty())
    return absl::DataLossError("the HDF5 file has no layer_names; a Keras model or its weights were wanted");
  for (const std::string& layer : layers) {
    const std::string group = root.empty() ? layer : absl::StrCat(root, "/", layer);
    KerasLayerWeights& weights = model.layers[layer];
    for (const std::string& name : AllTexts(*file, group, "weight_names")) {
      if (absl::Status status = AddWeight(*file, absl::StrCat(group, "/", name), name, &weights); !status.ok())
        return status;
    }
  }
  return model;
}

bool IsKerasArchive(const std::string& bytes) {
  const absl::StatusOr<ZipArchive> archive = ZipArchive::Open(bytes);
  return archive.ok() && archive->Find("model.weights.h5") != nullptr && archive->Find("config.json") != nullptr;
}

absl::StatusOr<KerasFile> ReadKerasArchive(std::string bytes) {
  const absl::StatusOr<ZipArchive> archive = ZipArchive::Open(std::move(bytes));
  if (!archive.ok()) return archive.status();
  KerasFile model;
  absl::StatusOr<std::string> config = archive->Read(*archive->Find("config.json"));
  if (!config.ok()) return config.status();
  model.config = *std::move(config);
  if (const ZipEntry* entry = archive->Find("metadata.json")) {
    const absl::StatusOr<std::string> text = archive->Read(*entry);
    const absl::StatusOr<nlohmann::json> metadata = text.ok() ? ParseJson(*text) : text.status();
    const bool said = metadata.ok() && metadata->is_object() && metadata->contains("keras_version") &&
                      (*metadata)["keras_version"].is_string();
    if (said) model.version = (*metadata)["keras_version"].get<std::string>();
  }
  const absl::StatusOr<std::string> weights = archive->Read(*archive->Find("model.weights.h5"));
  if (!weights.ok()) return weights.status();
  const absl::StatusOr<H5File> file = H5File::Open(*weights);
  if (!file.ok()) return file.status();
  if (absl::Status status = AddLayersByClass(*file, &model); !status.ok()) return status;
  return model;
}

}  // namespace rondo::convert
