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

// The variables below a group of Keras 3: its own, then those of its parts.
absl::Status AddVariables(const H5File& file, const std::string& group, KerasLayerWeights* layer) {
  for (const char* part : {"", "/cell", "/forward_layer/cell", "/backward_layer/cell", "/layer", "/layer/cell"}) {
    const std::string variables = absl::StrCat(group, part, "/vars");
    for (int i = 0; file.Has(absl::StrCat(variables, "/", i)); ++i) {
      const std::string path = absl::StrCat(variables, "/", i);
      if (absl::Status status = AddWeight(file, path, path, layer); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
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

// The layers' names and classes, in the model's order.
std::vector<std::pair<std::string, std::string>> LayersOf(const std::string& config) {
  std::vector<std::pair<std::string, std::string>> layers;
  const absl::StatusOr<nlohmann::json> json = ParseJson(config);
  if (!json.ok() || !json->is_object() || !json->contains("config")) return layers;
  const nlohmann::json& inner = (*json)["config"];
  const nlohmann::json& list = inner.is_object() && inner.contains("layers") ? inner["layers"] : inner;
  if (!list.is_array()) return layers;
  for (const nlohmann::json& layer : list) {
    if (!layer.is_object() || !layer.contains("class_name") || !layer["class_name"].is_string()) continue;
    const auto own = layer.find("config");
    const bool named = own != layer.end() && own->is_object() && own->contains("name") && (*own)["name"].is_string();
    if (named) layers.emplace_back((*own)["name"].get<std::string>(), layer["class_name"].get<std::string>());
  }
  return layers;
}

// Keras 3 names a layer's group by its class, counted within the model: the layers' own names are counted over all
// models of a process, so that "conv1d_1" can be the group of another layer than of the one with that name.
absl::Status AddLayersByClass(const H5File& file, KerasFile* model) {
  std::map<std::string, int> counts;
  for (const auto& [name, type] : LayersOf(model->config)) {
    const std::string snake = SnakeCase(type);
    const int count = counts[snake]++;
    const std::string by_class = absl::StrCat("layers/", snake, count == 0 ? "" : absl::StrCat("_", count));
    const std::string group = file.Has(by_class) ? by_class : absl::StrCat("layers/", name);
    if (absl::Status status = AddVariables(file, group, &model->layers[name]); !status.ok()) return status;
  }
  return absl::OkStatus();
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
