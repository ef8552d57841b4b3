#include "model/convert/convert.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "model/compute_thread.h"
#include "model/convert/archive/zip_archive.h"
#include "model/convert/check.h"
#include "model/convert/export/onnx_writer.h"
#include "model/convert/graph/model_writer.h"
#include "model/convert/keras/h5_file.h"
#include "model/convert/keras/keras_file.h"
#include "model/convert/onnx/external_files.h"
#include "model/convert/onnx/onnx_graph.h"
#include "model/convert/onnx/onnx_network.h"
#include "model/convert/onnx/onnx_tensor.h"
#include "model/convert/onnx/own_file.h"
#include "model/convert/plain_stack.h"
#include "model/convert/torch/described_network.h"
#include "model/convert/torch/module_stack.h"
#include "model/convert/torch/weight_file.h"
#include "model/json/json_text.h"
#include "model/model.h"
#include "model/model_file.h"
#include "model/safetensors.h"
#include "model/spec_json.h"

namespace rondo::convert {
namespace {

constexpr size_t kMaxConvertedBytes = size_t{1} << 32;

absl::StatusOr<nlohmann::json> ReadConfig(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxJsonBytes);
  if (!text.ok()) return absl::Status(text.status().code(), absl::StrCat("--config: ", text.status().message()));
  absl::StatusOr<nlohmann::json> json = ParseJson(*text);
  if (!json.ok()) return absl::InvalidArgumentError(absl::StrCat("--config: ", json.status().message()));
  if (!json->is_object()) return absl::InvalidArgumentError("--config: a JSON object was wanted");
  return json;
}

// A folder that goes away with what is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "rondo-convert-XXXXXX").string()) {
    if (mkdtemp(&path_[0]) == nullptr) path_.clear();
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }  // empty: it could not be made

 private:
  std::string path_;
};

// PyTorch's tensors with a description of format 1, read as the server reads a file that has both.
absl::StatusOr<ModelFile> ReadPlainStack(WeightFile file, const nlohmann::json& description) {
  std::vector<std::vector<float>> values;
  values.reserve(file.tensors.size());
  std::vector<TensorSlot> slots;
  for (NamedTensor& tensor : file.tensors) {
    values.emplace_back(tensor.array.values.begin(), tensor.array.values.end());
    slots.push_back({tensor.name, {std::move(tensor.array.shape)}, &values.back()});
  }
  const TemporaryFolder folder;
  if (folder.path().empty()) return absl::UnavailableError("no temporary folder can be made");
  const std::string path = folder.path() + "/model.safetensors";
  absl::Status written = WriteSafetensors({{"format", "pt"}, {"rondo", description.dump()}}, slots, path);
  if (!written.ok()) return written;
  return ReadModelFile(path);
}

bool IsPlainStack(const nlohmann::json& description) {
  return description.is_object() && description.contains("format") && description["format"] == 1;
}

absl::StatusOr<ElementGraph> ReadWeights(WeightFile file, const ConvertOptions& options) {
  ElementGraph graph;
  if (absl::Status status = JoinWeightNorms(&file); !status.ok()) return status;
  if (absl::Status status = IgnoreTensors(options.ignore, &file); !status.ok()) return status;
  if (options.config.empty() && !file.description.empty()) {
    const absl::StatusOr<nlohmann::json> description = ParseJson(file.description);
    if (!description.ok()) return description.status();
    if (IsPlainStack(*description)) {
      const absl::StatusOr<ModelFile> model = ReadModelFile(options.file);
      if (!model.ok()) return model.status();
      BuildPlainStack(*model, &graph);
    } else {
      BuildDescribed(file, *description, &graph);
    }
  } else if (options.config.empty()) {
    BuildStack(file, {options.rnn, options.head, options.activations, false}, &graph);
  } else {
    const absl::StatusOr<nlohmann::json> config = ReadConfig(options.config);
    if (!config.ok()) return config.status();
    if (IsPlainStack(*config)) {
      const absl::StatusOr<ModelFile> model = ReadPlainStack(std::move(file), *config);
      if (!model.ok()) return model.status();
      BuildPlainStack(*model, &graph);
    } else {
      BuildDescribed(file, *config, &graph);
    }
  }
  return graph;
}

absl::Status ReadInitializers(const std::vector<std::string>& texts, OnnxOptions* onnx) {
  for (const std::string& text : texts) {
    const size_t sign = text.find('=');
    if (sign == std::string::npos) return absl::InvalidArgumentError("--initializer takes NAME=FILE");
    const absl::StatusOr<std::string> bytes = ReadSmallFile(text.substr(sign + 1), kMaxConvertedBytes);
    absl::StatusOr<OnnxTensor> tensor = bytes.ok() ? ParseOnnxTensor(*bytes, nullptr) : bytes.status();
    if (!tensor.ok())
      return absl::Status(tensor.status().code(),
                          absl::StrCat("--initializer=", text, ": ", tensor.status().message()));
    onnx->initializers[text.substr(0, sign)] = std::move(tensor->array);
  }
  return absl::OkStatus();
}

absl::StatusOr<ElementGraph> ReadOnnx(absl::string_view bytes, const ConvertOptions& options) {
  ExternalFiles files(std::filesystem::path(options.file).parent_path().string());
  absl::StatusOr<OnnxModel> model = ParseOnnxModel(bytes, &files);
  if (!model.ok()) return model.status();
  absl::StatusOr<Json> description = CutToNetwork(&*model);
  if (!description.ok()) return description.status();
  OnnxOptions onnx;
  onnx.states = options.states;
  onnx.outputs = options.head;
  onnx.dimensions = options.dimension_sizes;
  if (absl::Status status = ReadInitializers(options.initializers, &onnx); !status.ok()) return status;
  absl::StatusOr<ElementGraph> graph = ReadOnnxNetwork(*model, onnx);
  if (graph.ok() && !description->empty()) graph->SetDescription(*std::move(description));
  return graph;
}

// The text of --config; empty: none is given.
absl::StatusOr<std::string> ConfigText(const ConvertOptions& options) {
  if (options.config.empty()) return std::string();
  const absl::StatusOr<nlohmann::json> json = ReadConfig(options.config);
  if (!json.ok()) return json.status();
  return json->dump();
}

absl::StatusOr<ElementGraph> ReadKeras(const absl::StatusOr<KerasFile>& file, absl::string_view config) {
  if (!file.ok()) return file.status();
  ElementGraph graph;
  BuildKeras(*file, config, &graph);
  return graph;
}

bool IsSafetensors(absl::string_view path) {
  return absl::EndsWith(path, ".safetensors") || absl::EndsWith(path, ".safetensors.index.json");
}

absl::StatusOr<ElementGraph> ReadBytes(const ConvertOptions& options) {
  absl::StatusOr<std::string> bytes = ReadSmallFile(options.file, kMaxConvertedBytes);
  if (!bytes.ok()) return bytes.status();
  if (H5File::Looks(*bytes)) {
    const absl::StatusOr<std::string> config = ConfigText(options);
    return config.ok() ? ReadKeras(ReadH5Model(*bytes, *config), *config) : config.status();
  }
  if (ZipArchive::Looks(*bytes)) {
    if (IsKerasArchive(*bytes)) return ReadKeras(ReadKerasArchive(*std::move(bytes)), "");
    absl::StatusOr<WeightFile> file = ReadTorchFile(*std::move(bytes), options.key);
    if (!file.ok()) return file.status();
    return ReadWeights(*std::move(file), options);
  }
  if (IsOldTorchFile(*bytes)) {
    absl::StatusOr<WeightFile> file = ReadTorchFile(*std::move(bytes), options.key);
    if (!file.ok()) return file.status();
    return ReadWeights(*std::move(file), options);
  }
  if (absl::StartsWith(*bytes, "\x80")) {
    return absl::InvalidArgumentError(
        "it is a pickle that torch.save did not write; torch.save(model.state_dict(), ...) does");
  }
  constexpr char kFirstOfOnnx = 0x08;  // the tag of ir_version
  if (absl::EndsWith(options.file, ".onnx") || absl::StartsWith(*bytes, std::string(1, kFirstOfOnnx))) {
    return ReadOnnx(*bytes, options);
  }
  return absl::InvalidArgumentError("it is none of ONNX, Keras (.keras, .h5), PyTorch's files and safetensors");
}

std::string ModelName(const ConvertOptions& options) {
  if (!options.name.empty()) return options.name;
  std::string name = std::filesystem::path(options.file).filename().string();
  return name.substr(0, name.find('.'));
}

absl::Status CheckName(absl::string_view name) {
  for (const char letter : name) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(letter)) || absl::StrContains("._-", std::string(1, letter)))
      continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the model's name ", Quoted(name), " has other letters than a-z, 0-9, ., _ and -; give one with --name"));
  }
  if (!name.empty() && name[0] != '.') return absl::OkStatus();
  return absl::InvalidArgumentError("the model has no name; give one with --name");
}

// Loads the model as a server does, and compares it with --check's vectors.
absl::Status Verify(const ElementGraph& graph, const ConvertOptions& options) {
  const TemporaryFolder folder;
  if (folder.path().empty()) return absl::UnavailableError("no temporary folder can be made");
  const std::string path = folder.path() + "/model.safetensors";
  if (absl::Status status = WriteModel(graph, path); !status.ok()) return status;
  PrepareComputeThread();
  const auto model = LoadModel(path, "model", 1, {});
  if (!model.ok()) return model.status();
  if (options.check.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> found = CheckModel(**model, options.check);
  if (!found.ok()) return absl::Status(found.status().code(), absl::StrCat("--check: ", found.status().message()));
  std::printf("check: %s\n", found->c_str());
  return absl::OkStatus();
}

// DIR/NAME/1/model.safetensors: all of it or nothing.
absl::Status Write(const ElementGraph& graph, const ConvertOptions& options) {
  const std::string name = ModelName(options);
  if (absl::Status status = CheckName(name); !status.ok()) return status;
  const std::filesystem::path folder = std::filesystem::path(options.output) / name;
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::symlink_status(folder, error))) {
    return absl::AlreadyExistsError(absl::StrCat(folder.string(), " exists; give another --name, or remove it"));
  }
  std::filesystem::create_directories(folder / "1", error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("making the folder ", folder.string()));
  const std::string path = (folder / "1" / "model.safetensors").string();
  if (absl::Status status = WriteModel(graph, path); !status.ok()) {
    std::filesystem::remove_all(folder, error);
    return status;
  }
  std::printf("wrote %s\n", path.c_str());
  std::printf("For rondo-server --models_sha256: (cd %s && sha256sum */*/model.safetensors > models.sha256)\n",
              options.output.c_str());
  return absl::OkStatus();
}

absl::Status WriteOnnxFile(const ElementGraph& graph, const std::string& path) {
  const absl::StatusOr<ModelSpec> spec = ParseSpecJson(DescriptionJson(graph));
  if (!spec.ok()) return spec.status();
  const absl::StatusOr<std::string> onnx = WriteOnnx(graph, *spec);
  if (!onnx.ok()) return onnx.status();
  if (absl::Status status = WriteFileAtomically(path, {*onnx}); !status.ok()) return status;
  std::printf("wrote %s\n", path.c_str());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ElementGraph> ReadSource(const ConvertOptions& options) {
  absl::StatusOr<ElementGraph> graph = absl::UnknownError("");
  if (IsSafetensors(options.file)) {
    absl::StatusOr<WeightFile> file = ReadSafetensorsFiles(options.file);
    if (!file.ok()) return file.status();
    graph = ReadWeights(*std::move(file), options);
  } else {
    graph = ReadBytes(options);
  }
  if (!graph.ok()) return graph.status();
  if (!graph->status().ok()) return graph->status();
  Simplify(&*graph);
  return graph;
}

absl::Status RunConvert(const ConvertOptions& options) {
  const absl::StatusOr<ElementGraph> graph = ReadSource(options);
  if (!graph.ok()) return graph.status();
  std::fputs(GraphTable(*graph).c_str(), stdout);
  if (absl::Status status = Verify(*graph, options); !status.ok()) return status;
  if (options.check.empty()) {
    std::puts(
        "To check it: --check=vectors.npz, of numpy.savez(\"vectors.npz\", X=inputs, Y=outputs), a row a timestep.");
  }
  if (!options.to_onnx.empty()) {
    if (absl::Status status = WriteOnnxFile(*graph, options.to_onnx); !status.ok()) return status;
  }
  if (options.output.empty()) return absl::OkStatus();
  return Write(*graph, options);
}

}  // namespace rondo::convert
